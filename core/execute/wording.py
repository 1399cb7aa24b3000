"""The task's own words, cut into the slots that an outline's wording takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from core.catalogue import Task
from core.execute.english import AMOUNT, ASKING
from core.execute.labels import About
from core.execute.phrases import Phrases
from core.settings import PROJECT

__all__ = ["Slots", "fill", "slots_of"]

LONGEST_TASK, LONGEST_NOTE, LONGEST_ACRONYM = 90, 100, 2

_PREFIX = re.compile(
    r"^(?:\[[^\]]{1,30}\]:?\s*|[-*•>]\s+(?:\[[ x]?\]\s*)?|:[a-z_]+:\s+|\#\d+:?\s+|"
    r"[A-Z]{2,9}-\d+:\s+|\d{1,2}[.)]\s+(?=[a-z])|"
    r"(?:bucket list|"
    r"feat|fix|chore|docs|refactor|test|perf|build|ci|style|revert|wip|bug|todo|to-do|task|"
    r"hotfix|rfc|idea|reminder|question|note|re|fwd|hw|panic|decide|someday|urgent|regression|"
    r"accessibility|a11y|ui|ux|mobile|ios|android)"
    r"(?:\([^)]{1,40}\))?!?:\s+)+",
    re.IGNORECASE,
)
# A task in quotation marks, to be taken apart.
_PARTED = re.compile(
    r"(?:break|split|turn|cut) [“\"](.+)[”\"](?: (?:in)?to .+| up| down)?", re.IGNORECASE
)
_LEAD_IN = re.compile(
    r"^(?:hey|hi|ok|okay|please|pls|plz|finally|just|also|so(?=,|\s+(?:i|we)\b)|then|asap|urgent|maybe|"
    r"(?:i|we)(?:['’]d| would) (?:really )?(?:like|love) to|"
    r"(?:it )?would be (?:great|nice|good|cool) (?:to|if)|"
    r"(?:i|we) (?:really )?(?:want|need|have|wish|plan|hope|ought|am going|should try) to|"
    r"i['’]?m (?:going|trying|planning|hoping|gonna)(?: to)?|"
    r"(?:i|we) (?:must|should|will|wanna|gotta)|(?:(?:i|we)['’]ll|gonna|wanna|gotta)|"
    r"(?:(?:can|could) (?:you|we)|(?:would|will) you)(?: please)?|(?:please )?help me(?: to)?|"
    r"remind me to|"
    r"how (?:do|can|could|should|would) (?:i|we|you)|how to|let(?:['’]s| us| me)|"
    r"(?:need|want|have|has|got|trying|time|remember|ready) to|"
    r"(?:i )?need(?=\s+(?:an?|some)\s)|try (?:to|and)|don['’]?t forget (?:to|about)|"
    r"it['’]?s time to|(?:my|the) (?:goal|resolution|plan) (?:is|this year is) to|"
    r"get around to|make sure(?: to| i| we| that)?|(?:start|begin|resolve|plan|aim) to|work on|"
    r"to)[\s,:]+",
    re.IGNORECASE,
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun"
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_CLOCK = r"\d{1,2}(?::\d\d)?\s*(?:am|pm)|noon"
_PERIOD = (
    r"tomorrow|tonight|week(?:end)?|month|year|quarter|semester|term|summer|spring|autumn|fall|"
    r"winter|evening|morning|afternoon|christmas|xmas|easter|thanksgiving|halloween|new year"
)
_PART = rf"(?:\s+(?:morning|afternoon|evening|night|{_CLOCK}))?"
_NOT_DATED = "".join(
    rf"(?<!\b{word} )" for word in ("every", "each", "packed", "busy", "free", "a", "the", "and")
)
# A date ends the task or a clause of it; “today’s spending” and “sunday livestream” are names.
_DEADLINE = re.compile(
    rf"(?:\b(?:(?:by|before|until|due|on|this|next)\s+)+(?:the\s+)?(?:(?:end|start)\s+of\s+)?"
    rf"(?:the\s+|this\s+|next\s+)?(?:{_DAY}|"
    rf"(?:{_MONTH})(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?(?:,?\s+20\d\d)?|{_PERIOD}|{_CLOCK}|20\d\d|"
    rf"\d{{1,2}}(?:st|nd|rd|th)){_PART}|"
    rf"\bin\s+(?:\d{{1,2}}|a|one|two|three|four|five|six)\s+(?:days?|weeks?|months?)|"
    rf"(?<=\s){_NOT_DATED}(?<![-+&] )(?P<day>{_DAY}){_PART}|"
    rf"\btomorrow(?:\s+(?:morning|evening|night))?|\btonight|\btoday)(?=$|\s*[,;(!?])",
    re.IGNORECASE,
)
_YOURS = {
    "i": "you", "me": "you", "my": "your", "our": "your", "ours": "yours", "us": "you",
    "we": "you", "myself": "yourself", "ourselves": "yourselves", "mine": "yours",
}  # fmt: skip
_SHORT = {"m": "you’re", "re": "you’re", "ve": "you’ve", "ll": "you’ll", "d": "you’d"}
_PERSON = re.compile(
    r"(?<![\w/&.'’-])(?:"
    r"(?P<turned>am i|was i|were we|are we)|(?P<plain>i am|i was|we were|we are)|"
    r"(?:i|we)['’](?P<short>m|ve|ll|d|re)|(?P<im>(?:^|(?<=when )|(?<=how )|(?<=because )|(?<=if )|"
    r"(?<=that )|(?<=why )|(?<=and )|(?<=but )|(?<=where )|(?<=, ))im(?=\s))|(?<=of )mine|"
    r"(?P<one>i|me|my|our|ours|us|we|myself|ourselves)(?!\s+(?:time|page)\b))"
    r"(?![\w/&'’-]|\.\w)",
    re.IGNORECASE,
)
_UNSPOKEN = re.compile(r"^(?:[^\w\s\[{(\"“'‘$€£#@.<\-*•>:]+\s+)+(?=\S)")
_NUMBERED = re.compile(
    r"(?:part|act|chapter|phase|level|war|volume|unit|class|calculus|physics|type|algebra|ww)\s$",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|april|june|july|september|"
    r"october|november|december|english|french|spanish|german|italian|japanese|chinese|korean|"
    r"portuguese|russian|arabic|christmas|easter|halloween|thanksgiving)(?=s?\b)"
)
_LEADS = frozenset({"about", "at", "for", "from", "in", "of", "on", "to", "with"})
# After these a question can stand: “explain why it fails”.
_KNOWS = frozenset({"about", "explain", "on", "retell", "tell", "understand"})
_DETERMINED = re.compile(
    r"(?:“|\b(?:the|an?|your|this|that|each|every|any|no|one|first|next|new|own|whole|more) )$",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"[\s,]+(?:please|pls|plz|asap|thanks|thx|ugh|(?<!for )(?<!get )(?<!of )(?<!with )help|now)$",
    re.IGNORECASE,
)
_ADVERB = re.compile(
    r"^(?:always|never|only|really|actually|quickly|properly|carefully) (?=\w+ )", re.IGNORECASE
)
_LETTERS = frozenset("BCDEFGHJKLMNOPQRSTUVWXYZ")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([a-z]+)\}")
_PHRASES = Phrases((PROJECT / "data" / "verbs.txt").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Slots:
    """What an outline's wording can take from a task; only the first three are never empty.

    The topic is written with `article`, but for where the wording gives it a determiner itself.
    """

    task: str
    object: str
    topic: str
    article: str = ""
    detail: str = ""
    amount: str = ""
    deadline: str = ""
    note: str = ""
    failing: str = ""
    files: str = ""
    branch: str = ""


def slots_of(task: Task) -> Slots:
    """Cut a task into slots; any text gives something that can stand in a sentence."""
    whole = _whole(task.title)
    deadline = _DEADLINE.search(whole)
    amount = AMOUNT.search(whole)
    about = _about(_without(deadline, whole))
    code = task.code_context
    failing = code.tests_failing if code else None
    return Slots(
        task=_clipped(whole, LONGEST_TASK),
        object=about.object or whole,
        topic=about.topic or about.object or whole,
        article=about.article,
        detail=about.detail,
        amount=amount.group(0).strip() if amount else "",
        deadline=_when(deadline) if deadline else "",
        note=_first_sentence(task.description),
        failing=f"{failing} failing test{'s' if failing != 1 else ''}" if failing else "",
        files=", ".join(code.recent_files[:3]) if code else "",
        branch=code.current_branch if code else "",
    )


def fill(wording: str, slots: Slots, longest: int | None = None) -> str:
    """Put the slots into the wording once; brackets whose slot is empty vanish.

    Where the result is longer than `longest`, the object gives way to the shorter topic, and so
    does the task.
    """
    filled = _filled(wording, slots)
    if longest is None or len(filled) <= longest:
        return filled
    topic = f"{slots.article} {slots.topic}".strip()
    shorter = _filled(wording, replace(slots, object=topic))
    return (
        shorter
        if len(shorter) <= longest
        else _filled(wording, replace(slots, object=topic, task=slots.topic))
    )


def _filled(wording: str, slots: Slots) -> str:
    def segment(part: re.Match[str]) -> str:
        empty = any(not getattr(slots, name) for name in _SLOT.findall(part.group(1)))
        return "" if empty else part.group(1)

    def value(slot: re.Match[str]) -> str:
        name, before = slot.group(1), kept[: slot.start()]
        said = str(getattr(slots, name))
        if name == "object" and _clumsy(before, said):
            name, said = "topic", slots.topic
        if name == "topic" and slots.article and not _DETERMINED.search(before):
            said = f"{slots.article} {said}"
        begins = re.search(r"(?:^|[.!?]\s)$", before)
        return said[:1].upper() + said[1:] if begins else said

    # The wording is tidied before the values come in, so a task's own marks stay as typed.
    kept = " ".join(_SEGMENT.sub(segment, wording).split())
    kept = re.sub(r"\s+([,.;:!?])", r"\1", kept)
    return _SLOT.sub(value, kept)


def _clumsy(before: str, about: str) -> bool:
    """Whether the two do not go together: “for dinner for six”, “publish why it fails”."""
    last = before.rstrip().rpartition(" ")[2].lower()
    asks = about.partition(" ")[0].lower() in ASKING and last not in _KNOWS
    return asks or (last in _LEADS and f" {last} " in about)


def _whole(title: str) -> str:
    """Return the task without prefixes and lead-ins, said to the person who has it."""
    shouted = title.isupper() and len(title.split()) > LONGEST_ACRONYM
    text = title.lower() if shouted else title
    text = _PREFIX.sub("", _UNSPOKEN.sub("", text)).strip(" .!?…") or title
    if parts := _PARTED.fullmatch(text):
        text = parts[1]
    if text[:1] + text[-1:] in {'""', "“”", "''"}:
        text = text[1:-1] or text
    text = " ".join(_NAMES.sub(_capital, _to_second_person(_without_lead_in(text))).split())
    return _lower_first(text) or title


def _without_lead_in(text: str) -> str:
    while True:
        shorter = _LEAD_IN.sub("", text, count=1)
        if shorter in {text, ""}:
            return text
        text = shorter


def _to_second_person(text: str) -> str:
    def yours(person: re.Match[str]) -> str:
        said = person.group(0)
        if person["short"] or person["im"]:
            return _SHORT[(person["short"] or "m").lower()]
        if person["turned"] or person["plain"]:
            verb = "were" if re.search(r"\bw(?:as|ere)\b", said.lower()) else "are"
            return f"{verb} you" if person["turned"] else f"you {verb}"
        numeral = said == "I" and (
            person.end() == len(text) or _NUMBERED.search(text[: person.start()])
        )
        shouted = len(said) > 1 and said.isupper()
        return said if numeral or shouted else _YOURS.get(said.lower(), said)

    return _PERSON.sub(yours, text)


def _capital(name: re.Match[str]) -> str:
    return name.group(0).capitalize()


def _lower_first(text: str) -> str:
    """Lower the first letter unless the word is, or begins, a name."""
    first, _, rest = text.partition(" ")
    inner = any(letter.isupper() or letter.isdigit() or letter in "+#" for letter in first[1:])
    if inner or first in _LETTERS or rest[:1].isupper() or _NAMES.match(first.lower()):
        return text
    return text[:1].lower() + text[1:]


def _without(deadline: re.Match[str] | None, text: str) -> str:
    """Return the text with no deadline, unless nothing else would be left."""
    if deadline is None:
        return text
    kept = f"{text[: deadline.start()].rstrip()}{text[deadline.end() :]}".strip(" ,;:-")
    kept = re.sub(r"\s+(?:for|on|by|at|due|before)$", "", kept)
    return text if not kept or _PHRASES.is_verb(kept) else kept


def _when(deadline: re.Match[str]) -> str:
    said = re.sub(rf"\b(?:{_DAY})\b", _full_day, deadline.group(0), flags=re.IGNORECASE)
    said = re.sub(r"^due (?:on |by )?", "by ", said, flags=re.IGNORECASE)
    return f"on {said}" if deadline["day"] else _lower_first(said)


def _full_day(day: re.Match[str]) -> str:
    said = day.group(0)
    return next((full for full in _DAYS if full.lower().startswith(said[:3].lower())), said)


@lru_cache(maxsize=2_000)
def _about(text: str) -> About:
    text = _ADVERB.sub("", _POLITE.sub("", text) or text)
    return _PHRASES.about(text) if any(map(str.isalnum, text)) else About(text, text)


def _first_sentence(text: str) -> str:
    sentence = re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].strip(" .")
    sentence = " ".join(sentence.split())
    return _to_second_person(_clipped(sentence, LONGEST_NOTE))


def _clipped(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" ,;:-") + " …"
