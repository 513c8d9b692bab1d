// ONNX Runtime's side of `trimscope bench meter` and `bench blip`, through npm's onnxruntime-node (found from the current
// folder or NODE_PATH).
//
// probe                             says "ready VERSION" when it is installed, "missing ..." when not
// serve INPUT WHOLE IMAGE THREADS   INPUT: the .safetensors file with the graphs' inputs; the others: the graphs. Then
//                                   answers lines as bench-torch.py does
import { createRequire } from "node:module";
import { closeSync, openSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";

const say = (...words) => process.stdout.write(words.join(" ") + "\n");
const require = createRequire(join(process.cwd(), "bench.cjs"));

function load() {
  try {
    const version = require("onnxruntime-node/package.json").version;
    return { ort: require("onnxruntime-node"), name: `ONNX Runtime ${version}` };
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") say("missing onnxruntime-node");
    else say("error", String(error.message).split("\n")[0]);
    process.exit(0);
  }
}

// The graphs' inputs: input.NAME are floats, index.NAME whole numbers.
function readInput(ort, path) {
  const file = openSync(path, "r");
  const at = (size, from) => {
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, from);
    return bytes;
  };
  const size = Number(at(8, 0).readBigUInt64LE());
  const header = JSON.parse(at(size, 8).toString());
  const given = {};
  for (const [name, { shape, data_offsets: [begin, end] }] of Object.entries(header)) {
    const bytes = at(end - begin, 8 + size + begin);
    const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const [kind, input] = name.split(".");
    if (kind === "index") given[input] = new ort.Tensor("int64", BigInt64Array.from(data, BigInt), shape);
    else if (kind === "input") given[input] = new ort.Tensor("float32", data, shape);
  }
  closeSync(file);
  return given;
}

async function serve(ort, name, [input, whole, image, threads]) {
  const given = readInput(ort, input);
  const options = {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
  };
  const sessions = {
    whole: await ort.InferenceSession.create(whole, options),
    image: await ort.InferenceSession.create(image, options),
  };
  const run = (what) => {
    const { inputNames } = sessions[what];
    return sessions[what].run(Object.fromEntries(inputNames.map((input) => [input, given[input]])));
  };
  say("ready", name);
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, of] = line.split(" ");
    if (what === "values") {
      const { out } = await run(of);
      say(...Array.from(out.data.slice(0, 8)));
      continue;
    }
    const cpu = process.cpuUsage();
    const wall = process.hrtime.bigint();
    await run(what);
    const used = process.cpuUsage(cpu);
    say(Number(process.hrtime.bigint() - wall) / 1e9, (used.user + used.system) / 1e6);
  }
}

const { ort, name } = load();
if (process.argv[2] === "probe") say("ready", name);
else
  await serve(ort, name, process.argv.slice(3)).catch((error) => {
    say("error", String(error.message).split("\n")[0]);
    process.exit(1);
  });
