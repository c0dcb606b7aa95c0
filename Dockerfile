# One image a service: docker build --build-arg SERVICE=plans --tag wraparound/plans .
# SERVICE is rosters, reviews, plans, partners, reporting, portal or wraparound (the command that imports and looks after a district).
# With an attestation of what is inside: docker buildx build --sbom=true …
# scripts/image.sh puts the same layout into a folder without a Docker engine, which is how it is tested.

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG SERVICE
ENV SQLX_OFFLINE=true
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release --package "$SERVICE" --bin "$SERVICE" && \
    scripts/image.sh assemble "$SERVICE" "target/release/$SERVICE" /image

# Nothing but the program, the libraries that it loads, certificates of public authorities and the list of what it is built from.
FROM scratch
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wraparound-$SERVICE" \
      org.opencontainers.image.description="Wraparound, a student support system for school districts: $SERVICE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 10001:10001
ENV PATH=/usr/local/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 7400 7409
ENTRYPOINT ["/usr/local/bin/service"]
CMD ["serve", "--with-work"]
