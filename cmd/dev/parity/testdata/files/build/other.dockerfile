FROM muster.test/busybox:latest AS base
ARG WORD
ARG FROM_SHELL
ENV WORD=$WORD FROM_SHELL=$FROM_SHELL
RUN --mount=type=secret,id=password test "$(cat /run/secrets/password)" = "correct horse"
RUN --mount=type=secret,id=own-id test "$(cat /run/secrets/own-id)" = token

FROM base AS final
LABEL stage=final

FROM base
LABEL stage=last
