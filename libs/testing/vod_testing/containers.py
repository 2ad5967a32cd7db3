"""The same servers from testcontainers, for machines with Docker and images at hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

_IMAGES = {"postgres": ("postgres:18", 5432), "redis": ("redis:7", 6379), "nats": ("nats:2", 4222)}


@contextmanager
def container(name: str) -> Iterator[str]:
    """Run a server in a container; yield its address."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415  only who asks for containers needs it
    from testcontainers.core.waiting_utils import wait_for_logs  # noqa: PLC0415

    image, port = _IMAGES[name]
    one = DockerContainer(image).with_exposed_ports(port)
    if name == "postgres":
        one = one.with_env("POSTGRES_PASSWORD", "test")
    if name == "nats":
        one = one.with_command("-js")
    with one as running:
        ready = {"postgres": "database system is ready", "redis": "Ready to accept", "nats": "Server is ready"}
        wait_for_logs(running, ready[name], timeout=60)
        at = f"{running.get_container_host_ip()}:{running.get_exposed_port(port)}"
        yield {
            "postgres": f"postgresql://postgres:test@{at}/postgres",
            "redis": f"redis://{at}/0",
            "nats": f"nats://{at}",
        }[name]


def with_database(dsn: str, name: str) -> str:
    """Return *dsn* with another database."""
    parts = urlsplit(dsn)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
