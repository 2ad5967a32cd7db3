"""The `vod` command."""

# Each command is imported when it is called: the supervisor runs for days and should not carry an HTTP client.
# ruff: noqa: PLC0415

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from vod_local.errors import LocalFailure

EPILOG = """\
examples:
  vod up                              start everything; without TMDB_KEY and indexers with a demo library
  vod up --port 8090 --data ~/vod2    a second one beside it
  vod play "Harbor Lights" S1E2       watch an episode
  vod why "Harbor Lights" S1E2        which release was picked for it, and why
  vod status                          what runs, who watches
  vod deadletters                     what no service could handle; --replay 3 sends one again

environment:
  VOD_DATA_DIR                        where everything is kept
  PG_DSN, REDIS_URL, NATS_URL         use these servers instead of the embedded ones
  TMDB_KEY, PROWLARR_URL, PROWLARR_KEY, OS_KEY
                                      use the real TMDb, Prowlarr and OpenSubtitles instead of the demo

exit codes:
  0 done   1 something failed   2 wrong arguments or settings   3 the data folder is in use   4 a port is taken
  5 NovaStream does not run   6 NovaStream refuses the request   7 no such title or letter   8 not everything is ready
"""

UP = "Start everything: servers, services and, without upstreams, a demo library. Ctrl-C stops it."
PLAY = "Find a title, start a session, print the stream's URL and open a player on it."
WHY = "Show which release was picked for an episode, what it was chosen from, and why."
STATUS = "Show whether each service is ready, who watches, and what the stream node holds."
DEAD_LETTERS = "List messages that a service could not handle; show one, or send them again."
INTERRUPTED = 130
MOST_NODES = 8
"""As many as deploy/edge/haproxy.cfg knows."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; give the exit code."""
    code = 0
    try:
        parsed = parser().parse_args(arguments)
        code = parsed.run(parsed)
    except* LocalFailure as failures:
        leaves = list(_leaves(failures))
        for failure in leaves:
            print(f"vod: {failure}", file=sys.stderr)
        code = max(failure.exit_code for failure in leaves)
    except* KeyboardInterrupt:
        code = INTERRUPTED
    except* BrokenPipeError:
        # `vod status | head`: nobody reads any more. Else Python complains when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    root = argparse.ArgumentParser(
        prog="vod",
        description="NovaStream on this machine: pick an episode, stream it while it downloads.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_up(commands.add_parser("up", help="start everything and print the address", description=UP))
    _add_play(commands.add_parser("play", help="watch a title in mpv or VLC", description=PLAY))
    _add_why(commands.add_parser("why", help="show why a release was picked", description=WHY))
    _add_status(commands.add_parser("status", help="show services, sessions and pins", description=STATUS))
    _add_dead_letters(
        commands.add_parser("deadletters", help="show messages that could not be handled", description=DEAD_LETTERS)
    )
    return root


def _add_up(command: argparse.ArgumentParser) -> None:
    _add_data(command)
    command.add_argument("--port", type=_port, help="port of the API (default 8080); streams use the next one")
    command.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        help="use the made-up demo library; by default when neither TMDB_KEY nor an indexer is set",
    )
    command.add_argument("--isolate", action="store_true", help="one process per service instead of two groups")
    command.add_argument(
        "--stream-nodes",
        type=_count,
        default=1,
        metavar="N",
        help="so many stream nodes, with HAProxy in front of them (default 1, at most 8)",
    )
    command.set_defaults(run=_up)


def _add_play(command: argparse.ArgumentParser) -> None:
    _add_data(command)
    command.add_argument("title", help='for example "Harbor Lights"')
    command.add_argument("episode", nargs="?", help="S1E2; without it, where you stopped, or the first one")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--no-player", action="store_true", help="only print the URL")
    which.add_argument("--player", metavar="PROGRAM", help="mpv or vlc, if not the one that is found first")
    command.set_defaults(run=_play)


def _add_why(command: argparse.ArgumentParser) -> None:
    _add_data(command)
    command.add_argument("title", help='for example "Harbor Lights"')
    command.add_argument("episode", nargs="?", default="S1E1", help="S1E2; for films it is not needed")
    command.add_argument(
        "--diff", nargs=2, type=_place, metavar=("A", "B"), help="why one of two candidates, by place, goes first"
    )
    command.set_defaults(run=_why)


def _add_status(command: argparse.ArgumentParser) -> None:
    _add_data(command)
    command.set_defaults(run=_status)


def _add_dead_letters(command: argparse.ArgumentParser) -> None:
    _add_data(command)
    what = command.add_mutually_exclusive_group()
    what.add_argument("--show", type=int, metavar="NUMBER", help="print what is in one")
    what.add_argument("--replay", type=int, nargs="+", metavar="NUMBER", help="send these again")
    what.add_argument("--replay-all", action="store_true", help="send all of them again")
    command.set_defaults(run=_dead_letters)


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: VOD_DATA_DIR)")


def _up(parsed: argparse.Namespace) -> int:
    from vod_local import up
    from vod_local.demo import Choice
    from vod_local.topology import Grouping

    choice = {None: Choice.AUTOMATIC, True: Choice.DEMO, False: Choice.REAL}[parsed.demo]
    grouping = Grouping.ISOLATED if parsed.isolate else Grouping.GROUPS
    options = up.UpOptions(
        data=parsed.data, port=parsed.port, demo=choice, grouping=grouping, stream_nodes=parsed.stream_nodes
    )
    return up.main(options)


def _play(parsed: argparse.Namespace) -> int:
    from vod_local import play

    episode = play.parse_episode(parsed.episode) if parsed.episode else None
    player = None if parsed.no_player else play.chosen_player(parsed.player)
    return play.main(play.PlayOptions(data=parsed.data, title=parsed.title, episode=episode, player=player))


def _why(parsed: argparse.Namespace) -> int:
    from vod_local import play, why

    episode = play.parse_episode(parsed.episode)
    diff = (parsed.diff[0], parsed.diff[1]) if parsed.diff else None
    options = why.WhyOptions(data=parsed.data, title=parsed.title, episode=episode, diff=diff)
    return why.main(options)


def _status(parsed: argparse.Namespace) -> int:
    from vod_local import status

    return status.main(status.StatusOptions(data=parsed.data))


def _dead_letters(parsed: argparse.Namespace) -> int:
    from vod_local import deadletters

    options = deadletters.DeadLetterOptions(
        data=parsed.data,
        show=parsed.show,
        replay=tuple(parsed.replay or ()),
        replay_all=parsed.replay_all,
    )
    return deadletters.main(options)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65534")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_NODES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_NODES}")
    return int(text)


def _place(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no place in the list")
    return int(text)


def _leaves(group: BaseExceptionGroup[LocalFailure]) -> Iterator[LocalFailure]:
    """Give the failures inside nested groups, one by one."""
    for failure in group.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure


if __name__ == "__main__":
    sys.exit(main())
