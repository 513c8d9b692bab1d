// Which trimscope this is.
#ifndef TRIMSCOPE_BASE_VERSION_H
#define TRIMSCOPE_BASE_VERSION_H

// "v1.2-3-gabcdef0", or "unknown" where it was built outside a checkout.
const char *version_text(void);

#endif
