// ONNX Runtime's side of `trimscope bench meter`, through npm's onnxruntime-node (found from the current folder or
// NODE_PATH).
//
// probe                             says "ready VERSION" when it is installed, "missing ..." when not
// serve INPUT WHOLE IMAGE THREADS   INPUT: the .safetensors file with bench.pixels and bench.ids; the others: the graphs.
//                                   Then answers lines as bench-meter-torch.py does
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

function readTensors(path, names) {
  const file = openSync(path, "r");
  const at = (size, from) => {
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, from);
    return bytes;
  };
  const size = Number(at(8, 0).readBigUInt64LE());
  const header = JSON.parse(at(size, 8).toString());
  const tensors = names.map((name) => {
    const [begin, end] = header[name].data_offsets;
    const bytes = at(end - begin, 8 + size + begin);
    return { shape: header[name].shape, data: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
  });
  closeSync(file);
  return tensors;
}

async function serve(ort, name, [input, whole, image, threads]) {
  const [pixels, ids] = readTensors(input, ["bench.pixels", "bench.ids"]);
  const options = {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
  };
  const sessions = {
    meter: await ort.InferenceSession.create(whole, options),
    image: await ort.InferenceSession.create(image, options),
  };
  const picture = { pixels: new ort.Tensor("float32", pixels.data, [1, ...pixels.shape]) };
  const words = new ort.Tensor("int64", BigInt64Array.from(ids.data, BigInt), [1, ids.data.length]);
  const feeds = { meter: { ...picture, ids: words }, image: picture };
  say("ready", name);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "logits") {
      const { out } = await sessions.meter.run(feeds.meter);
      say(...Array.from(out.data.slice(0, 8)));
      continue;
    }
    const cpu = process.cpuUsage();
    const wall = process.hrtime.bigint();
    await sessions[line].run(feeds[line]);
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
