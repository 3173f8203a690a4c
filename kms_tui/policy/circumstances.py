"""The requests that a kind of caller can make, as variables that can each take finitely many values.

The values are those that a policy itself mentions (or that fit its patterns), "another value" and "absent",
as far as such a caller can bring them about. A variable stands for one condition key, or for several that
go together: who is calling, how they signed in, the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from kms_tui.policy import instances, keys, operators
from kms_tui.policy.actions import Action
from kms_tui.policy.conditions import Test
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import Request, caller_context, derived_context, named
from kms_tui.policy.keys import ENCRYPTION_CONTEXT, Key, Presence
from kms_tui.policy.principals import Caller, Kind
from kms_tui.policy.search import Budget, Literal

Values = tuple[str, ...] | None
Assignment = Mapping[str, Values]
"""Condition keys in lower case with their values; None: absent."""


class Origin(Enum):
    """How the caller stands to the key's account."""

    OWN = "an identity of the key's account"
    OTHER = "an identity of another account that the policy means"
    STRANGER = "an identity, or a service's customer, that the policy does not mean"


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose requests, for which action, and over which network. ``now`` is in seconds since 1970.

    ``callers`` are the identities to choose from; the first ``plain_callers`` of them are unremarkable ones.
    """

    callers: tuple[Caller, ...]
    origin: Origin
    action: Action
    key_arn: str
    now: float
    plain_callers: int = 1
    endpoint: bool = False
    any_id: bool = False
    """Whether the caller's unique id may be one that the policy mentions."""

    @property
    def kind(self) -> Kind:
        return self.callers[0].kind

    @property
    def is_session(self) -> bool:
        return self.kind in (Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER)


@dataclass(slots=True)
class Variable:
    """Choices of values; ``possible`` and ``plain`` are masks of them."""

    choices: list[Assignment]
    possible: int = 0
    plain: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One choice while a variable is built: its values, and whether it is unremarkable (or a mere future)."""

    values: Values
    plain: bool = False
    possible: bool = True


_GROUPS: Mapping[str, str] = {
    "aws:principalarn": "caller",
    "aws:principaltype": "caller",
    "aws:principalaccount": "caller",
    "aws:username": "caller",
    "kms:calleraccount": "caller",
    "aws:multifactorauthpresent": "sign-in",
    "aws:multifactorauthage": "sign-in",
    "aws:tokenissuetime": "sign-in",
    "aws:currenttime": "clock",
    "aws:epochtime": "clock",
    "aws:viaawsservice": "via",
    "aws:calledvia": "via",
    "aws:calledviafirst": "via",
    "aws:calledvialast": "via",
}
_CALLER_KEYS = tuple(key for key, group in _GROUPS.items() if group == "caller")
_MAX_SESSION_SECONDS = 129_600


@dataclass(slots=True)
class Circumstances:
    """The variables of a setting, made as conditions ask for them; ``tests`` are all the policy's
    conditions.
    """

    setting: Setting
    tests: Mapping[str, Sequence[Test]]
    budget: Budget
    variables: list[Variable] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _masks: dict[Test, Literal] = field(default_factory=dict)

    def domains(self, *, plain: bool = False) -> list[int]:
        return [variable.plain if plain else variable.possible for variable in self.variables]

    def statement(self, statement: Statement, *, any_principal: bool = False) -> list[Literal] | None:
        """What must be true for the statement to apply; None if it never does."""
        self.budget.spend(20)
        literals = [] if any_principal else [self._principals(statement)]
        literals += [self.condition(test) for test in statement.conditions]
        if any(not mask for _, mask in literals):
            return None
        return [literal for literal in literals if literal[1] != self._all(literal[0])]

    def negated(self, literal: Literal) -> Literal:
        return literal[0], self._all(literal[0]) & ~literal[1]

    def _all(self, variable: int) -> int:
        return (1 << len(self.variables[variable].choices)) - 1

    def _principals(self, statement: Statement) -> Literal:
        """The callers that the statement names."""
        index = self._variable("caller")
        mask = 0
        for number, caller in enumerate(self.setting.callers):
            self.budget.spend(4 + 2 * len(statement.principals))
            if named(statement, caller) is not None:
                mask |= 1 << number
        return index, mask

    def condition(self, test: Test) -> Literal:
        """The choices for which a condition is true."""
        if test not in self._masks:
            self._masks[test] = self._condition(test)
        return self._masks[test]

    def _condition(self, test: Test) -> Literal:
        index = self._variable(_GROUPS.get(test.key, test.key))
        choices = self.variables[index].choices
        fixed: dict[str, Values] = {}
        for key in test.references:
            other = self.variables[self._variable(_GROUPS.get(key, key))]
            if len(other.choices) == 1:
                fixed[key] = other.choices[0].get(key)
            elif key not in choices[0] and any(choice.get(test.key) for choice in choices):
                return self._undetermined(test)
        self.budget.spend(test.weight * len(choices))
        mask = 0
        for number, choice in enumerate(choices):
            if test.holds(choice.get(test.key), _resolver(choice, fixed)):
                mask |= 1 << number
        return index, mask

    def _undetermined(self, test: Test) -> Literal:
        """A condition that compares two keys of which either can vary: it may be true or false."""
        self.variables.append(Variable([{"": ("true",)}, {"": None}], 0b11, 0b11))
        return len(self.variables) - 1, 0b01

    def _variable(self, name: str) -> int:
        if name not in self._index:
            self.budget.spend(150)
            self._index[name] = len(self.variables)
            self.variables.append(Variable([]))
            self.variables[self._index[name]] = self._make(name)
        return self._index[name]

    def _make(self, name: str) -> Variable:
        group = _MAKERS.get(name)
        if group is not None:
            return group(self)
        options = _unique(_options(self, name))
        return _variable([({name: option.values}, option) for option in options])

    def mentions(self, key: str) -> Sequence[Test]:
        return self.tests.get(key, ())


def _resolver(choice: Assignment, fixed: Assignment) -> Callable[[str], str | None]:
    def resolve(key: str) -> str | None:
        values = choice.get(key) or fixed.get(key)
        return values[0] if values and len(values) == 1 else None

    return resolve


def _variable(choices: Sequence[tuple[Assignment, Option]]) -> Variable:
    variable = Variable([assignment for assignment, _ in choices])
    for number, (_, option) in enumerate(choices):
        variable.possible |= option.possible << number
        variable.plain |= option.plain << number
    return variable


def _unique(options: Iterable[Option]) -> list[Option]:
    found: dict[Values, Option] = {}
    for option in options:
        found.setdefault(option.values, option)
    return list(found.values())


def _caller(world: Circumstances) -> Variable:
    setting = world.setting
    choices: list[tuple[Assignment, Option]] = []
    for number, caller in enumerate(setting.callers):
        context = caller_context(caller)
        values = {key: _tuple(context.get(key)) for key in _CALLER_KEYS}
        choices.append((values, Option(None, plain=number < setting.plain_callers)))
    return _variable(choices)


def _tuple(value: str | Sequence[str] | None) -> Values:
    return (value,) if isinstance(value, str) else tuple(value) if value is not None else None


def _sign_in(world: Circumstances) -> Variable:
    """Long-term credentials, a session without MFA, and sessions with MFA of several ages."""
    setting = world.setting
    issued = (operators.isoformat(setting.now),)
    present, age, token = "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime"
    choices: list[Assignment] = []
    if not setting.is_session:
        choices.append({present: None, age: None, token: None})
    if setting.kind is not Kind.SERVICE:
        choices.append({present: ("false",), age: None, token: issued})
        limits = {int(limit) for test in world.mentions(age) for limit in test.limits}
        world.budget.spend(40 * len(limits))
        ages = {0, 86_400, *(limit + step for limit in limits for step in (-1, 0, 1))}
        choices += [
            {present: ("true",), age: (str(seconds),), token: issued}
            for seconds in sorted(ages)
            if 0 <= seconds <= _MAX_SESSION_SECONDS
        ]
    return _variable([(choice, Option(None, plain=True)) for choice in choices])


def _clock(world: Circumstances) -> Variable:
    """Now, which is all that is possible, and the times to come at which a condition may turn."""
    now = world.setting.now
    limits = [
        limit
        for key in ("aws:currenttime", "aws:epochtime")
        for test in world.mentions(key)
        for limit in test.limits
    ]
    world.budget.spend(60 * len(limits))
    to_come = {limit + step for limit in limits for step in (-1, 0, 1) if now < limit + step < 1e11}
    choices: list[tuple[Assignment, Option]] = []
    for seconds in (now, *sorted(to_come)):
        values = {"aws:currenttime": (operators.isoformat(seconds),), "aws:epochtime": (str(int(seconds)),)}
        choices.append((values, Option(None, plain=True, possible=seconds == now)))
    return _variable(choices)


_FORWARDER = "cloudformation.amazonaws.com"


def _via(world: Circumstances) -> Variable:
    """The caller itself, or CloudFormation (for use of the key: any service named) with the caller's own
    rights.
    """
    keys = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
    services = [_FORWARDER]
    if not _is_direct(world.setting.action):
        services += [text for key in keys for text in instances.strings(world.mentions(key), world.budget)]
    direct: Assignment = {"aws:viaawsservice": ("false",), **dict.fromkeys(keys)}
    choices: list[tuple[Assignment, Option]] = [(direct, Option(None, plain=True))]
    if world.setting.kind is not Kind.SERVICE:
        choices += [
            ({"aws:viaawsservice": ("true",), **dict.fromkeys(keys, (service,))}, Option(None))
            for service in dict.fromkeys(services)
        ]
    return _variable(choices)


_MAKERS: Mapping[str, Callable[[Circumstances], Variable]] = {
    "caller": _caller,
    "sign-in": _sign_in,
    "clock": _clock,
    "via": _via,
}


def _is_direct(action: Action) -> bool:
    """Whether only people and their tools do this, never a service with its own context keys."""
    return action.name == "kms:PutKeyPolicy"


def _options(world: Circumstances, key: str) -> list[Option]:
    """The values that one key can have."""
    question = Question(world, key, keys.find(key), world.mentions(key))
    if key == "aws:userid":
        return _user_ids(question)
    return _BY_PRESENCE[question.info.presence](question)


@dataclass(frozen=True, slots=True)
class Question:
    """Which values can this key have in this world, given the conditions that mention it?"""

    world: Circumstances
    key: str
    info: Key
    tests: Sequence[Test]

    @property
    def setting(self) -> Setting:
        return self.world.setting

    @property
    def is_stranger(self) -> bool:
        return self.setting.origin is Origin.STRANGER

    @property
    def by_service(self) -> bool:
        return self.setting.kind is Kind.SERVICE

    @property
    def strings(self) -> list[str]:
        return instances.strings(self.tests, self.world.budget)

    def arranged(self, *, mentioned: bool) -> list[Option]:
        """Another value, and the mentioned ones if the caller can have them."""
        values = [*(self.info.choices or (self.info.other,))]
        if mentioned and self.info.kind == "ip":
            values += instances.addresses(self.tests, self.world.budget, public_only=False).all
        values += self.strings if mentioned else instances.foreign(self.tests)
        return [Option((value,), plain=value == self.info.other) for value in values]


_ABSENT = Option(None, plain=True)
_FRESH_USER, _FRESH_ROLE, _FRESH_SESSION = "AIDAZZZZZZZZZZZZZZZZZ", "AROAZZZZZZZZZZZZZZZZZ", "zz-session"


def _user_ids(question: Question) -> list[Option]:
    """A fresh unique id, which no policy can know; session names are the caller's to choose."""
    caller = question.setting.callers[0]
    if caller.is_root:
        return [Option((caller.account,), plain=True)]
    if caller.kind is Kind.USER:
        options = [Option((_FRESH_USER,), plain=True)]
    elif caller.kind is Kind.SERVICE:
        options = [_ABSENT]
    elif caller.kind is Kind.FEDERATED_USER:
        options = [Option((f"{caller.account}:{caller.name}",), plain=True)]
    elif caller.session:
        options = [Option((f"{_FRESH_ROLE}:{caller.session}",), plain=True)]
    else:
        options = [Option((f"{_FRESH_ROLE}:{_FRESH_SESSION}",), plain=True)]
        options += [Option((f"{_FRESH_ROLE}:{name}",)) for name in instances.session_names(question.tests)]
    if question.setting.any_id:
        options += [Option((text,)) for text in question.strings]
    return options


def _internet(question: Question) -> list[Option]:
    if question.setting.endpoint or question.by_service:
        return [_ABSENT]
    found = instances.addresses(question.tests, question.world.budget)
    options = [Option((text,), plain=True) for text in found.ordinary]
    return options + [Option((text,)) for text in (found.beyond if question.is_stranger else found.all)]


def _endpoint(question: Question) -> list[Option]:
    if not question.setting.endpoint:
        return [_ABSENT]
    return question.arranged(mentioned=not question.is_stranger or question.key == "aws:vpcsourceip")


def _constant(question: Question) -> list[Option]:
    setting = question.setting
    known = derived_context(Request(setting.callers[0], setting.action.name, setting.key_arn))
    known["kms:policyname"] = "default"
    if question.key in known:
        return [Option(_tuple(known[question.key]), plain=True)]
    return [_plain(option) for option in question.arranged(mentioned=True)]


def _plain(option: Option) -> Option:
    return Option(option.values, plain=True)


def _fact(question: Question) -> list[Option]:
    info = question.info
    if info.follows_caller and question.by_service:
        return [_ABSENT]
    if info.choices:
        options = [Option((value,)) for value in info.choices]
    else:
        options = question.arranged(mentioned=not (info.follows_caller and question.is_stranger))
    if info.optional:
        options.append(_ABSENT)
    return [_plain(option) for option in options]


_OF_ANY_CREDENTIALS = ("aws:referer", "aws:useragent", "aws:signinsessionarn")


def _chosen(question: Question) -> list[Option]:
    kind = question.setting.kind
    if question.key.startswith("aws:principaltag/"):
        impossible = kind in (Kind.ACCOUNT, Kind.SERVICE)
    else:
        impossible = question.key not in _OF_ANY_CREDENTIALS and not question.setting.is_session
    if impossible:
        return [_ABSENT]
    options = question.arranged(mentioned=True)
    return options if question.info.always else [_ABSENT, *options]


def _request(question: Question) -> list[Option]:
    if not _is_direct(question.setting.action):
        return [_ABSENT]
    return [_ABSENT, *(Option((value,)) for value in question.info.choices)]


def _service(question: Question) -> list[Option]:
    if not question.by_service:
        return [_ABSENT]
    return [_ABSENT, *question.arranged(mentioned=not question.is_stranger)]


def _operation(question: Question) -> list[Option]:
    action = question.setting.action
    context = question.key.startswith(ENCRYPTION_CONTEXT)
    if _is_direct(action) or (context and not action.encryption_context):
        return [_ABSENT]
    mentioned = not (context and question.by_service and question.is_stranger)
    return [_ABSENT, *question.arranged(mentioned=mentioned)]


def _absent(question: Question) -> list[Option]:
    return [_ABSENT]


_BY_PRESENCE: Mapping[Presence, Callable[[Question], list[Option]]] = {
    Presence.INTERNET: _internet,
    Presence.ENDPOINT: _endpoint,
    Presence.CONSTANT: _constant,
    Presence.FACT: _fact,
    Presence.CHOSEN: _chosen,
    Presence.REQUEST: _request,
    Presence.SERVICE: _service,
    Presence.OPERATION: _operation,
    Presence.UNKNOWN: _absent,
}
