# SPDX-License-Identifier: MIT
# For scripts/test-debian13: what the tests need on Debian 13. The sources are at /src, what is kept
# between two runs is in /cache.

# There is no libvirt to compare with. The first layers are those of docker/Dockerfile.
FROM debian:trixie-slim
COPY scripts/install-deps /src/scripts/
RUN /src/scripts/install-deps build
RUN /src/scripts/install-deps run unit
ENV CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_DIR=/cache/ccache CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1 \
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
CMD ["/bin/sh", "-ec", "\
  cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
        -DVM_RUNNER_WERROR=ON -DVM_RUNNER_PCH=ON; \
  cmake --build /build; \
  exec ctest --test-dir /build --parallel 2 --label-regex '^(unit|process)$' \
        --exclude-regex compare-libvirt --output-on-failure"]
