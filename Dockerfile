# gate with git, for pipelines that run in containers: GitLab, Jenkins, Tekton.
#   docker build --tag gate .
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
ARG GATE_COMMIT=""
RUN GATE_COMMIT="$GATE_COMMIT" cargo build --release --locked

FROM alpine:3.22
RUN apk add --no-cache git ca-certificates && adduser -D -u 10001 gate
COPY --from=build /src/target/release/gate /usr/local/bin/gate
# A pipeline's checkout belongs to another user; gate only reads it.
RUN git config --system --add safe.directory '*'
USER gate
WORKDIR /work
# No entry point: GitLab starts a shell in the container.
CMD ["gate", "--help"]
