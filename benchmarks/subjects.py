"""The gateways the faults are tried on: tripoint, nginx and the LiteLLM proxy, each before the same two upstreams."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.measure import ROOT
from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.estate import NAME_THERE, UPSTREAM_KEY_VARIABLE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import UPSTREAM_KEY, GatewayProcess
from tripoint.apps.battery.rig.servers import ModelProcess, free_port, listens

LITELLM = ROOT / "out" / "bench" / "litellm" / "bin"
START_S = 90.0
_KEY = "sk-faults-4f9a7c2e1b8d6035"
_NGINX = """\
worker_processes 1; daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err warn;
events {{ worker_connections 16384; }}
http {{
  access_log off; tcp_nodelay on; keepalive_timeout 75;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 32m; client_header_timeout 9s; client_body_timeout 20s;
  upstream models {{
    server 127.0.0.1:{first} max_fails=3 fail_timeout=10s; server 127.0.0.1:{second} max_fails=3 fail_timeout=10s;
    keepalive 64;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer {secret}"; proxy_buffering off;
      proxy_next_upstream error timeout http_429 http_500 http_502 http_503 http_504 non_idempotent;
      proxy_next_upstream_tries 2; proxy_connect_timeout 1s; proxy_read_timeout {first_byte}s;
    }}
  }}
}}
"""


class Subject(ABC):
    """A gateway before two upstreams that serve one model; it is stopped by its own id."""

    name = ""
    """What it is called in the table."""
    not_judged: frozenset[str] = frozenset()
    """Rows of the wire battery about what it does not claim to do."""

    def __init__(self, first: ModelProcess, second: ModelProcess, first_byte_s: int) -> None:
        self.first, self.second = first, second
        self.first_byte_s = first_byte_s
        """Longest wait for a first byte it is told, s."""
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="tripoint-faults-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> Place:
        """Where it listens."""
        return Place(host="127.0.0.1", port=self.port, key=self.key(), model=self.model())

    def key(self) -> str:
        """Client key."""
        return _KEY

    def model(self) -> str:
        """Name callers use."""
        return NAME_THERE

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Its version, empty when it is not installed."""

    @abstractmethod
    async def start(self) -> None:
        """Starts it and waits until it listens."""

    def memory_mib(self) -> float:
        """Resident memory, MiB."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return max(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def stop(self) -> None:
        """Ends it and removes its folder."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _run(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        with (self.folder / "log").open("wb") as log:
            env = {**os.environ, **(environment or {})}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env, cwd=self.folder)
        if not await listens(self.port, START_S, self.process):
            words = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-800:]
            raise RuntimeError(f"{self.name} did not start: {words}")


class Tripoint(Subject):
    """Ourselves, one worker."""

    name = "tripoint"

    @classmethod
    def version(cls) -> str:
        """See `Subject`."""
        import importlib.metadata

        return importlib.metadata.version("tripoint")

    def key(self) -> str:
        """See `Subject`."""
        from tripoint.apps.battery.rig.gateway import KEY

        return KEY

    def model(self) -> str:
        """See `Subject`."""
        return "chat"

    async def start(self) -> None:
        """See `Subject`."""
        secret = {"secret": f"env:{UPSTREAM_KEY_VARIABLE}"}
        places = (("dense-1", self.first.url, 1.0), ("cloud-1", self.second.url, 2.0))
        upstreams = [UpstreamAt(id=name, url=url, usd=usd, members=secret) for name, url, usd in places]
        self._gateway = gateway = GatewayProcess(self.folder, port=self.port)
        await gateway.start(estate_text(upstreams, serving={"first_byte_s": self.first_byte_s}))
        self.process = gateway.process

    def memory_mib(self) -> float:
        """See `Subject`; of its largest process."""
        return self._gateway.memory_mib()

    def stop(self) -> None:
        """See `Subject`."""
        self._gateway.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Subject):
    """nginx as a proxy that tries the next upstream, POST requests included; it asks for no key and reads no body."""

    name = "nginx"
    not_judged = frozenset({"W11", "W12", "W14", "W15"})

    def key(self) -> str:
        """See `Subject`."""
        return ""

    @classmethod
    def version(cls) -> str:
        """See `Subject`."""
        path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if path is None:
            return ""
        run = subprocess.run([path, "-v"], capture_output=True, text=True, check=True)
        return run.stderr.strip().removeprefix("nginx version: nginx/")

    async def start(self) -> None:
        """See `Subject`."""
        config = self.folder / "nginx.conf"
        config.write_text(
            _NGINX.format(
                folder=self.folder,
                first=self.first.port,
                second=self.second.port,
                port=self.port,
                secret=UPSTREAM_KEY,
                first_byte=self.first_byte_s,
            )
        )
        path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"
        await self._run([path, "-c", str(config)])


class LiteLLM(Subject):
    """The LiteLLM proxy, one worker, without its database."""

    name = "LiteLLM proxy"

    @classmethod
    def version(cls) -> str:
        """See `Subject`."""
        if not (LITELLM / "litellm").exists():
            return ""
        code = "import importlib.metadata; print(importlib.metadata.version('litellm'))"
        return subprocess.run(
            [str(LITELLM / "python"), "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()

    def model(self) -> str:
        """See `Subject`."""
        return "chat"

    async def start(self) -> None:
        """See `Subject`."""
        deployments = [
            {
                "model_name": "chat",
                "litellm_params": {"model": f"openai/{NAME_THERE}", "api_base": server.url, "api_key": UPSTREAM_KEY},
            }
            for server in (self.first, self.second)
        ]
        config = {
            "model_list": deployments,
            "litellm_settings": {"num_retries": 2, "request_timeout": self.first_byte_s, "telemetry": False},
            "router_settings": {"routing_strategy": "simple-shuffle", "allowed_fails": 3, "cooldown_time": 10},
            "general_settings": {"master_key": _KEY, "disable_spend_logs": True},
        }
        path = self.folder / "config.yaml"
        path.write_text(json.dumps(config))
        command = [str(LITELLM / "litellm"), "--config", str(path), "--host", "127.0.0.1", "--port", str(self.port)]
        environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "PYTHONUNBUFFERED": "1"}
        await self._run(command, environment)


SUBJECTS: tuple[type[Subject], ...] = (Tripoint, Nginx, LiteLLM)
"""Who is tried, in the order of the table."""
