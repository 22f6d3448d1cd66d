# The whole main job in a container: docker build -t sr . && docker run --rm -v "$PWD/outputs:/sr/outputs" sr
# onnxruntime-qnn, the Hexagon compiler, needs glibc 2.35 or newer and x86-64; Debian 12 has 2.36.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /sr
COPY . .
RUN make install

CMD ["make", "demo"]
