"""The typed form of config.toml: whoever starts a tick reads it."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.config import Strict

CONFIG = Path(__file__).with_name("config.toml")


class Schedule(Strict):
    """How often challengers are trained, and what keeps them from being trained."""

    challenger_every_days: int = Field(ge=1)
    failures_in_a_row: int = Field(ge=1)
    challenger_after_failures_days: int = Field(ge=1)
    known_new_world_days: int = Field(ge=1)
    triggered_at_most: int = Field(ge=0)
    triggered_within_days: int = Field(ge=1)
    quarantine_days: int = Field(ge=0)
    late_days: int = Field(ge=0)
    parameters_old_after_days: int = Field(ge=1)


class Retired(Strict):
    """How a comparison is judged."""

    error: float = Field(gt=0, lt=1)
    planned: int = Field(ge=2)
    from_day: int = Field(ge=1)
    most_days: int = Field(ge=1)


class Challenger(Retired):
    """How a challenger's comparison is judged."""

    most_days_of_a_small_shop: int = Field(ge=1)
    least_gain: float = Field(ge=0, le=1)
    tune_half_life: bool = True


class Pairs(Strict):
    """What any comparison needs."""

    least: int = Field(ge=2)
    least_customers: int = Field(ge=1)
    least_deviation: float = Field(ge=0)


class Quality(Strict):
    """The e-detector on daily precision@10."""

    alarm: float = Field(gt=0)
    warning: float = Field(gt=0)
    reference_days: int = Field(ge=2)
    reference_ended_days_ago: int = Field(ge=0)
    armed_from_days: int = Field(ge=2)


class Drift(Strict):
    """When drift in the day's data counts."""

    days_in_a_row: int = Field(ge=1)
    page_every_day: bool = True


class Service(Strict):
    """What is asked of the service and of those who watch it."""

    most_share: float = Field(ge=0, le=1)
    least_answers: int = Field(ge=1)
    looked_back_minutes: int = Field(default=15, ge=1)
    most_milliseconds: int = Field(default=500, ge=1)
    dead_after_hours: int = Field(default=36, ge=1)
    histories_old_after_days: int = Field(ge=0)
    least_equal: float = Field(ge=0, le=1)
    overdue_hours: int = Field(ge=1)
    empty_days: int = Field(ge=1)


class Freeze(Strict):
    """When the loop stops acting and calls a person."""

    rollbacks: int = Field(ge=1)
    rollbacks_within_days: int = Field(ge=1)
    days_without_quality: int = Field(ge=1)


class Alarms(Strict):
    """How long an incident lasts."""

    incident_ends_after_days: int = Field(ge=1)


class Calendar(Strict):
    """Days unlike others."""

    holidays: frozenset[date] = frozenset()


class LoopConfig(Strict):
    """When the loop acts, and what it calls a person for."""

    days_come_by: Literal["file", "post"] = "file"
    schedule: Schedule
    challenger: Challenger
    retired: Retired
    pairs: Pairs
    quality: Quality
    drift: Drift
    service: Service
    freeze: Freeze
    alarms: Alarms
    calendar: Calendar = Calendar()
