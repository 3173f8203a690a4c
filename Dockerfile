# The offline KMS for tests. In memory, without credentials, for whoever reaches the port: never for real keys.
#
#   docker build -t kms-tui .
#   docker run -p 127.0.0.1:4599:4599 kms-tui
#   docker run -p 127.0.0.1:4599:4599 -v "$PWD/keys.yaml:/seed.yaml:ro" kms-tui --seed /seed.yaml
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY kms_tui kms_tui
RUN python -m venv /opt/kms-tui && /opt/kms-tui/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/kms-tui /opt/kms-tui
RUN useradd --system --create-home --uid 10001 kms
USER kms
WORKDIR /home/kms
ENV PATH=/opt/kms-tui/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 4599
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:4599/_kms-tui/health', timeout=2)"]
ENTRYPOINT ["kms-tui", "serve", "--host", "0.0.0.0", "--port", "4599", "--auth", "any", "--allow-network", "--control"]
CMD ["--ephemeral"]
