# Exchange Desk: simulator (in a dry run), web and worker in one container. See compose.yaml.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt
COPY . .
RUN python3 -m compileall -q . \
 && useradd --uid 1000 --no-create-home --home-dir /tmp desk \
 && mkdir --mode=1777 /data

# HOST is inside the container; compose.yaml decides which port is published.
ENV HOST=0.0.0.0 \
    PORT=8002 \
    VAR_DIR=/data \
    HOME=/tmp
USER 1000:1000
VOLUME /data
EXPOSE 8002
# SIGTERM: the running cycle finishes first, at most 25 s. Orders stay on the exchange.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8002/health', timeout=8)"]
CMD ["python3", "manage.py", "run_desk"]
