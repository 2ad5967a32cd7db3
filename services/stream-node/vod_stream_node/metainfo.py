"""libtorrent's view of a torrent's metadata, as ours."""

from typing import Any

import libtorrent as lt

from vod_stream_node.domain import Layout, TorrentFile

_IRREGULAR = int(lt.file_storage.flag_symlink) | int(lt.file_storage.flag_pad_file)


def layout_of(info: Any) -> Layout:
    """Return the layout of a `torrent_info`; paths are as libtorrent cleaned them."""
    storage = info.layout()
    files = tuple(
        TorrentFile(
            index=index,
            path=storage.file_path(index),
            size=storage.file_size(index),
            offset=storage.file_offset(index),
            regular=not int(storage.file_flags(index)) & _IRREGULAR,
        )
        for index in range(storage.num_files())
    )
    return Layout(piece_length=info.piece_length(), files=files)
