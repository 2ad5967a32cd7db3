"""A viewer's shelf: what to go on with, and the devices."""

from typing import Annotated

from fastapi import APIRouter, Query
from vod.playback.v1 import playback_service_pb2 as playback

from vod_gateway import dto_shelf, mapping_shelf
from vod_gateway.depends import BackendsDep, DeviceDep, OptionalSubjectId
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, problems

router = APIRouter(prefix="/v1", tags=["watch"])
_RESPONSES = problems(INVALID_PARAMETER, *DOWNSTREAM)


@router.get("/continue-watching", summary="What to go on with", responses=_RESPONSES)
async def continue_watching(
    backends: BackendsDep,
    device: DeviceDep,
    subject_id: OptionalSubjectId = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> dto_shelf.ShelfAnswer:
    """Return one episode of each series: the one watched last if it is unfinished, else the one after it.

    Without a subject it is the shelf of whoever last started something on this device, as its cookie says.
    """
    rpc = playback.ListContinuationsRequest(subject_id=subject_id or "", device_id=device, page_size=limit)
    return mapping_shelf.shelf_answer(await backends.playback.ListContinuations(rpc))


@router.get("/devices", summary="The devices of a viewer", responses=_RESPONSES)
async def list_devices(
    backends: BackendsDep, device: DeviceDep, subject_id: OptionalSubjectId = None
) -> dto_shelf.DevicesAnswer:
    """Return the devices on which the subject was the last to start something."""
    rpc = playback.ListDevicesRequest(subject_id=subject_id or "", device_id=device)
    return mapping_shelf.devices_answer(await backends.playback.ListDevices(rpc))
