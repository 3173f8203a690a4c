"""The scans of a session: one a region, kept, repeated and called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend
from kms_tui.evidence.scans import Scan, Scans
from kms_tui.kms.errors import ConfigurationError, KmsTuiError
from tests.unit.evidence.world import NOW, REGION, FakeServices, arn_of, local_backend, new_key

_US = "us-east-1"


class Held:
    """DescribeVolumes answers one volume, after ``let_go``; ``asked`` is set when it has been asked."""

    def __init__(self, key: str) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()
        self._answer = {"Volumes": [{"VolumeId": "vol-1", "KmsKeyId": key}]}

    def __call__(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.set()
        assert self.let_go.wait(10)
        return self._answer


@pytest.fixture
def kms() -> LocalBackend:
    return local_backend()


@pytest.fixture
def key(kms: LocalBackend) -> str:
    return new_key(kms)


def over(scans: Scans, region: str = REGION) -> Scan:
    """The result, once the scan is over."""
    result = outcome(scans, region)
    assert isinstance(result, Scan)
    return result


def outcome(scans: Scans, region: str) -> Scan | KmsTuiError | None:
    deadline = time.monotonic() + 10
    while scans.is_running(region):
        assert time.monotonic() < deadline, "the scan does not end"
        time.sleep(0.001)
    return scans.result(region)


def test_a_region_has_one_scan_at_a_time_and_keeps_the_last(kms: LocalBackend, key: str) -> None:
    held = Held(arn_of(key))
    services = FakeServices({"DescribeVolumes": held})
    scans = Scans(Kms(kms), services, lambda: NOW)
    assert scans.result(REGION) is None
    scans.start(REGION)
    assert held.asked.wait(10)
    scans.start(REGION)
    assert scans.is_running(REGION)
    run = scans.run_of(REGION)
    assert run is not None
    assert not {each.title: each for each in run.sections()}["EBS volumes"].is_over
    held.let_go.set()
    assert len(over(scans).uses(key)) == 1
    assert services.calls["DescribeVolumes"] == 1
    scans.start(REGION)
    assert len(over(scans).uses(key)) == 1
    assert services.calls["DescribeVolumes"] == 2


def test_regions_are_scanned_each_for_itself(kms: LocalBackend) -> None:
    scans = Scans(Kms(kms), FakeServices(), lambda: NOW)
    scans.start(_US)
    assert over(scans, _US).region == _US
    assert scans.result(REGION) is None


def test_a_first_scan_that_is_cancelled_leaves_what_it_found(kms: LocalBackend, key: str) -> None:
    held = Held(arn_of(key))
    scans = Scans(Kms(kms), FakeServices({"DescribeVolumes": held}), lambda: NOW)
    scans.start(REGION)
    assert held.asked.wait(10)
    scans.cancel(REGION)
    assert over(scans).is_cancelled
    held.let_go.set()


@pytest.mark.parametrize("end", [lambda scans: scans.cancel(REGION), Scans.close])
def test_a_repeated_scan_that_is_called_off_leaves_the_whole_one_before(
    kms: LocalBackend, key: str, end: Callable[[Scans], None]
) -> None:
    services = FakeServices({"DescribeVolumes": {"Volumes": [{"VolumeId": "v", "KmsKeyId": key}]}})
    scans = Scans(Kms(kms), services, lambda: NOW)
    scans.start(REGION)
    before = over(scans)
    held = Held(key)
    services.answers["DescribeVolumes"] = held
    scans.start(REGION)
    assert held.asked.wait(10)
    end(scans)
    assert over(scans) is before
    held.let_go.set()


def test_a_region_that_cannot_be_opened_says_why(kms: LocalBackend) -> None:
    class Closed(FakeServices):
        def in_region(self, region: str) -> FakeServices:
            raise ConfigurationError(f"There is no region {region}.")

    scans = Scans(Kms(kms), Closed(), lambda: NOW)
    scans.start("mars")
    assert isinstance(outcome(scans, "mars"), ConfigurationError)


def test_a_scan_can_be_called_off_while_its_region_is_being_opened(kms: LocalBackend) -> None:
    opening, let_go = threading.Event(), threading.Event()

    class Slow(FakeServices):
        def in_region(self, region: str) -> FakeServices:
            opening.set()
            assert let_go.wait(10)
            return self

    services = Slow()
    scans = Scans(Kms(kms), services, lambda: NOW)
    scans.start(REGION)
    assert opening.wait(10)
    assert scans.run_of(REGION) is None
    scans.cancel(REGION)
    let_go.set()
    assert over(scans).is_cancelled
    assert not services.calls


def test_where_there_is_nothing_to_scan_nothing_is_offered_and_nothing_starts(kms: LocalBackend) -> None:
    class KmsAlone(FakeServices):
        def offers(self, service: str) -> bool:
            return service == "cloudtrail"

    assert Scans(Kms(kms), FakeServices(), lambda: NOW).is_offered
    assert not Scans(Kms(kms), KmsAlone(), lambda: NOW).is_offered
    nothing = Scans(Kms(kms), None, lambda: NOW)
    assert not nothing.is_offered
    nothing.start(REGION)
    assert not nothing.is_running(REGION)
