# The server alone: docker build -t totphog . && docker run -e TOTPHOG_API_KEY=… -p 8045:8045 totphog
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir '/source[all]'

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group totphog
COPY --from=build /venv /venv
USER 10001
EXPOSE 8045
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s \
    CMD ["/venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8045/', timeout=2)"]
ENTRYPOINT ["/venv/bin/totphog", "serve", "--host", "0.0.0.0", "--port", "8045"]
