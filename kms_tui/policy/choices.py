"""The values that the condition keys of a request can have.

They are those that the policy mentions (or that fit its patterns), "another value" and "absent", as far as
the caller can bring them about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kms_tui.policy import condition_keys, forms, operators, sample_values
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS, ConditionKey, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.evaluation import AccessRequest, caller_context, derived_context
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.request_setting import Assignment, Origin, RequestSetting, Values
from kms_tui.policy.search import Budget


@dataclass(frozen=True, slots=True)
class ValueChoice:
    """Values of one key or of several: ``plain`` if unremarkable, ``possible`` unless in the future."""

    values: Assignment
    plain: bool = False
    possible: bool = True


@dataclass(frozen=True, slots=True)
class ValueOption:
    """One possible value of one key."""

    values: Values
    plain: bool = False


GROUPS: Mapping[str, str] = {
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
    "aws:principalorgid": "organization",
    "aws:principalorgpaths": "organization",
    "aws:resourceorgid": "organization",
    "aws:resourceorgpaths": "organization",
}
"""Keys whose values depend on each other -> the name of their group."""
CALLER_NUMBER = "caller"
"""The key of the caller's number in the setting, beside the condition keys that follow from the caller."""
_CALLER_KEYS = tuple(key for key, group in GROUPS.items() if group == "caller")
_MAX_SESSION_SECONDS = 129_600
_LAST_TIME = 1e11
_FAR_SECONDS = 40e9
"""About 1,270 years: no pattern of today's times matches then."""


@dataclass(frozen=True, slots=True)
class ValueQuestion:
    """Asks which values a key (or a group of keys) can have, given the conditions on it.

    ``tests`` are all conditions, by key in lower case; ``linked`` are further values, which conditions
    compare with a key through policy variables.
    """

    setting: RequestSetting
    tests: Mapping[str, Sequence[ConditionTest]]
    budget: Budget
    key: str
    linked: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def info(self) -> ConditionKey:
        return condition_keys.find(self.key)

    @property
    def mentions(self) -> Sequence[ConditionTest]:
        return self.tests.get(self.key, ())

    @property
    def strings(self) -> list[str]:
        return self.mentioned(self.key)

    def mentioned(self, key: str) -> list[str]:
        """The values of a key that conditions mention and that a request can have."""
        info = condition_keys.find(key)
        tests = self.tests.get(key, ())
        texts = [*sample_values.strings(tests, self.budget), *self.linked.get(key, ())]
        if forms.form_of(info) is None:
            return texts
        patterns = [pattern for test in tests for pattern in test.patterns[: sample_values.MAX_PATTERNS]]
        texts += [text for pattern in patterns for text in forms.sampled(info, pattern)]
        self.budget.spend(10 * len(texts) + 60 * len(patterns))
        return [text for text in dict.fromkeys(texts) if forms.fits(info, text)]

    def arranged(self, *, mentioned: bool) -> list[ValueOption]:
        """Another value, and the mentioned ones if the caller can arrange them."""
        values = [*(self.info.choices or (self.info.other,))]
        if mentioned and self.info.kind == "ip":
            values += sample_values.addresses(self.mentions, self.budget, public_only=False).all
        values += self.strings if mentioned else sample_values.foreign_texts(self.mentions)
        return [ValueOption((value,), plain=value == self.info.other) for value in values]


_ABSENT = ValueOption(None, plain=True)
_FRESH_USER, _FRESH_ROLE, _FRESH_SESSION = "AIDAZZZZZZZZZZZZZZZZZ", "AROAZZZZZZZZZZZZZZZZZ", "zz-session"


def _user_ids(question: ValueQuestion) -> list[ValueOption]:
    """A new unique id, which no policy can mention; the caller chooses session names."""
    caller = question.setting.callers[0]
    if caller.is_root:
        return [ValueOption((caller.account,), plain=True)]
    if caller.kind is PrincipalKind.USER:
        options = [ValueOption((_FRESH_USER,), plain=True)]
    elif caller.kind is PrincipalKind.SERVICE:
        options = [_ABSENT]
    elif caller.kind is PrincipalKind.FEDERATED_USER:
        options = [ValueOption((f"{caller.account}:{caller.name}",), plain=True)]
    elif caller.session:
        options = [ValueOption((f"{_FRESH_ROLE}:{caller.session}",), plain=True)]
    else:
        options = [ValueOption((f"{_FRESH_ROLE}:{_FRESH_SESSION}",), plain=True)]
        names = sample_values.session_names(question.mentions)
        names += [text.partition(":")[2] for text in question.linked.get(question.key, ())]
        options += [ValueOption((f"{_FRESH_ROLE}:{name}",)) for name in dict.fromkeys(names) if name]
    if question.setting.any_id:
        options += [ValueOption((text,)) for text in question.strings]
    return options


def _internet(question: ValueQuestion) -> list[ValueOption]:
    if question.setting.endpoint or question.setting.by_service:
        return [_ABSENT]
    found = sample_values.addresses(question.mentions, question.budget)
    options = [ValueOption((text,), plain=True) for text in found.ordinary]
    return options + [
        ValueOption((text,)) for text in (found.beyond if question.setting.is_stranger else found.all)
    ]


def _endpoint(question: ValueQuestion) -> list[ValueOption]:
    if not question.setting.endpoint or question.setting.by_service:
        return [_ABSENT]
    return question.arranged(mentioned=not question.setting.is_stranger or question.key == "aws:vpcsourceip")


def _constant(question: ValueQuestion) -> list[ValueOption]:
    setting = question.setting
    known = derived_context(AccessRequest(setting.callers[0], setting.action.name, setting.key_arn))
    known["kms:policyname"] = "default"
    known["aws:resourceaccount"] = setting.account_id
    if question.key in known:
        return [ValueOption(_tuple(known[question.key]), plain=True)]
    return [_plain(option) for option in question.arranged(mentioned=True)]


def _plain(option: ValueOption) -> ValueOption:
    return ValueOption(option.values, plain=True)


def _fact(question: ValueQuestion) -> list[ValueOption]:
    info = question.info
    if info.follows_caller and question.setting.by_service:
        return [_ABSENT]
    if info.choices:
        options = [ValueOption((value,)) for value in info.choices]
    else:
        options = question.arranged(mentioned=not (info.follows_caller and question.setting.is_stranger))
    if info.optional:
        options.append(_ABSENT)
    return [_plain(option) for option in options]


_OF_ANY_CREDENTIALS = (
    "aws:referer",
    "aws:useragent",
    "aws:signinsessionarn",
    "aws:viaawsmcpservice",
    "aws:calledviaawsmcp",
)


def _chosen(question: ValueQuestion) -> list[ValueOption]:
    kind = question.setting.kind
    if question.key.startswith("aws:principaltag/"):
        impossible = kind in (PrincipalKind.ACCOUNT, PrincipalKind.SERVICE)
    else:
        impossible = question.key not in _OF_ANY_CREDENTIALS and not question.setting.is_session
    if impossible:
        return [_ABSENT]
    options = question.arranged(mentioned=True)
    if question.info.always:
        return options
    return [_ABSENT, *(ValueOption(option.values) for option in options)]


def _request(question: ValueQuestion) -> list[ValueOption]:
    if not question.setting.is_direct:
        return [_ABSENT]
    return [_ABSENT, *(ValueOption((value,)) for value in question.info.choices)]


def _service(question: ValueQuestion) -> list[ValueOption]:
    if not question.setting.by_service:
        return [_ABSENT]
    mentioned = question.key in _SERVICE_NAMES or not question.setting.is_stranger
    return [_ABSENT, *question.arranged(mentioned=mentioned)]


_SERVICE_NAMES = ("aws:principalservicename", "aws:principalservicenameslist")
"""Keys that name the service, whichever customer's resource it calls for."""


def _operation(question: ValueQuestion) -> list[ValueOption]:
    action = question.setting.action
    context = question.key.startswith(ENCRYPTION_CONTEXT)
    needs_context = context or question.key == ENCRYPTION_CONTEXT_KEYS
    if question.setting.is_direct or (needs_context and not action.encryption_context):
        return [_ABSENT]
    mentioned = not (context and question.setting.by_service and question.setting.is_stranger)
    return [_ABSENT, *question.arranged(mentioned=mentioned)]


def _absent(question: ValueQuestion) -> list[ValueOption]:
    return [_ABSENT]


_BY_PRESENCE: Mapping[Presence, Callable[[ValueQuestion], list[ValueOption]]] = {
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


def choices(question: ValueQuestion) -> list[ValueChoice]:
    """The choices for a key, or for a group of ``GROUPS``, each at most once."""
    group = _MAKERS.get(question.key)
    if group is not None:
        return list(group(question))
    make = _user_ids if question.key == "aws:userid" else _BY_PRESENCE[question.info.presence]
    found: dict[Values, ValueChoice] = {}
    for option in make(question):
        found.setdefault(option.values, ValueChoice({question.key: option.values}, option.plain))
    return list(found.values())


def _caller(question: ValueQuestion) -> Iterator[ValueChoice]:
    for number, caller in enumerate(question.setting.callers):
        context = caller_context(caller)
        values = {key: _tuple(context.get(key)) for key in _CALLER_KEYS} | {CALLER_NUMBER: (str(number),)}
        yield ValueChoice(values, plain=number < question.setting.plain_callers)


def _tuple(value: str | Sequence[str] | None) -> Values:
    return (value,) if isinstance(value, str) else tuple(value) if value is not None else None


def _limits(question: ValueQuestion, *names: str) -> set[float]:
    """The numbers or times that conditions on these keys compare with, also as text."""
    tests = [test for name in names for test in question.tests.get(name, ())]
    found = {limit for test in tests for limit in test.limits}
    for test in tests:
        if test.operator.base.family == "string":
            read = [operators.number(text.value) or operators.timestamp(text.value) for text in test.values]
            found |= {limit for limit in read if limit is not None}
    question.budget.spend(60 * len(found))
    return found


def _sign_in(question: ValueQuestion) -> Iterator[ValueChoice]:
    """Long-term credentials, a session without MFA, and sessions with MFA of several ages."""
    setting = question.setting
    issued = (operators.isoformat(setting.now),)
    present, age, token = "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime"
    if not setting.is_session:
        yield ValueChoice({present: None, age: None, token: None}, plain=True)
    if not setting.by_service:
        yield ValueChoice({present: ("false",), age: None, token: issued}, plain=True)
        ages = {int(limit) + step for limit in _limits(question, age) for step in (-1, 0, 1)}
        for seconds in sorted({0, 86_400} | ages):
            if 0 <= seconds <= _MAX_SESSION_SECONDS:
                yield ValueChoice({present: ("true",), age: (str(seconds),), token: issued}, plain=True)


def _clock(question: ValueQuestion) -> Iterator[ValueChoice]:
    """Now, the only possible time, and the future times at which a condition may change."""
    now = question.setting.now
    names = ("aws:currenttime", "aws:epochtime")
    limits = _limits(question, *names)
    if any(test.operator.base.family == "like" for name in names for test in question.tests.get(name, ())):
        limits.add(now + _FAR_SECONDS)
    to_come = {limit + step for limit in limits for step in (-1, 0, 1) if now < limit + step < _LAST_TIME}
    for seconds in (now, *sorted(to_come)):
        values = {"aws:currenttime": (operators.isoformat(seconds),), "aws:epochtime": (str(int(seconds)),)}
        yield ValueChoice(values, plain=True, possible=seconds == now)


_FORWARDER = "cloudformation.amazonaws.com"


def _via(question: ValueQuestion) -> Iterator[ValueChoice]:
    """The caller itself, or CloudFormation with its rights (for use of the key: any mentioned service)."""
    names = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
    services = [_FORWARDER]
    if not question.setting.is_direct:
        for name in names:
            services += sample_values.strings(question.tests.get(name, ()), question.budget)
    yield ValueChoice({"aws:viaawsservice": ("false",), **dict.fromkeys(names)}, plain=True)
    if not question.setting.by_service:
        for service in dict.fromkeys(services):
            yield ValueChoice({"aws:viaawsservice": ("true",), **dict.fromkeys(names, (service,))})


_HOME, _ELSEWHERE = "/r-zz99/ou-zz99-99999999/", "/r-zz98/ou-zz98-99999999/"
MAX_ORGANIZATIONS = 40


def _organization(question: ValueQuestion) -> Iterator[ValueChoice]:
    """The organizations of the key's account and of the caller's, or none; the same for the account's own
    identities.
    """
    setting = question.setting
    ids = ("aws:principalorgid", "aws:resourceorgid")
    named = [text.partition("/")[0] for key in ids for text in question.mentioned(key)]
    paths = [
        text for key in ("aws:principalorgpaths", "aws:resourceorgpaths") for text in question.mentioned(key)
    ]
    paths = [path for path in paths if not path.startswith(condition_keys.OTHER_ORG)]
    named += [path.partition("/")[0] for path in paths]
    listed = [org for org in dict.fromkeys(named) if org != condition_keys.OTHER_ORG]
    question.budget.spend(40 * len(listed) * (1 + len(paths) // 20))
    homes = [None, *_standing([condition_keys.OWN_ORG, *listed], paths, _HOME)]
    if setting.origin is Origin.OTHER:
        homes = homes[:MAX_ORGANIZATIONS]
    for home in homes:
        for org in _callers_standing(setting, home, listed, paths):
            values = {**_of_organization("aws:resource", home), **_of_organization("aws:principal", org)}
            yield ValueChoice(values, plain=True)


def _callers_standing(
    setting: RequestSetting, home: tuple[str, str] | None, listed: Sequence[str], paths: Sequence[str]
) -> list[tuple[str, str] | None]:
    if setting.by_service:
        return [None]
    if setting.origin is Origin.OWN:
        return [home]
    elsewhere = _standing([condition_keys.OTHER_ORG], (), _ELSEWHERE)
    if setting.is_stranger:
        return [None, *elsewhere]
    others = _standing(listed, paths, _ELSEWHERE)[:MAX_ORGANIZATIONS]
    return [None, *elsewhere, *([home] if home else []), *others]


def _standing(ids: Sequence[str], paths: Sequence[str], default: str) -> list[tuple[str, str]]:
    """Each organization with its own path, and every mentioned path."""
    return [*((org, org + default) for org in ids), *((path.partition("/")[0], path) for path in paths)]


def _of_organization(prefix: str, standing: tuple[str, str] | None) -> dict[str, Values]:
    org, path = standing or (None, None)
    return {f"{prefix}orgid": (org,) if org else None, f"{prefix}orgpaths": (path,) if path else None}


_MAKERS: Mapping[str, Callable[[ValueQuestion], Iterator[ValueChoice]]] = {
    "caller": _caller,
    "sign-in": _sign_in,
    "clock": _clock,
    "via": _via,
    "organization": _organization,
}
