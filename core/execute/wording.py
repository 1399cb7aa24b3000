"""The task's own words, cut into the slots that an outline's wording takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.catalogue import Task
from core.settings import PROJECT

__all__ = ["Slots", "fill", "slots_of"]

LONGEST_OBJECT_WORDS, LONGEST_OBJECT, LONGEST_TOPIC_WORDS = 8, 56, 5

_PREFIX = re.compile(
    r"^(?:\[[^\]]{1,30}\]\s*|[-*•]\s+(?:\[[ x]?\]\s*)?|\#\d+:?\s*|"
    r"(?:feat|fix|chore|docs|refactor|test|perf|build|ci|style|bug|todo|task|hotfix)"
    r"(?:\([^)]{1,40}\))?!?:\s+)+",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"^(?:hey|hi|ok|okay|please|pls|finally|just|also|so|then|asap|urgent|"
    r"i(?:'d| would) (?:really )?(?:like|love) to|"
    r"i (?:really )?(?:want|need|have|wish|plan|hope|ought|"
    r"am going|should try) to|i(?:'m| am) (?:going|trying|planning|hoping) to|"
    r"i (?:must|should|will)|"
    r"i(?:'ll| gotta)|(?:can|could|would|will) you(?: please)?|help me(?: to)?|remind me to|"
    r"(?:how|what|where|when) (?:do|can|could|should|would) (?:i|we|you)|how to|"
    r"let(?:'s| us| me)|need to|want to|"
    r"have to|has to|got to|gotta|try (?:to|and)|trying to|don(?:'|’)?t forget to|remember to|"
    r"time to|it(?:'s| is) time to|(?:my|the) (?:goal|resolution|plan) (?:is|this year is) to|"
    r"get around to|make sure (?:to|i|we)|start to|begin to|resolve to|plan to|aim to|"
    r"work on|to)[\s,:]+",
    re.IGNORECASE,
)
# Words that begin a task as its verb; what follows them is what the task is about.
_VERBS = frozenset((PROJECT / "data" / "verbs.txt").read_text(encoding="utf-8").split())
_PHRASAL = {
    "about",
    "after",
    "around",
    "at",
    "away",
    "back",
    "down",
    "for",
    "forward",
    "in",
    "into",
    "of",
    "off",
    "on",
    "out",
    "over",
    "through",
    "to",
    "together",
    "towards",
    "up",
    "with",
}
_ARTICLES = re.compile(
    r"^(?:the|a|an|your|some|any|this|that|these|those|another|all|every)\s+", re.IGNORECASE
)
_CUT = re.compile(
    r"\s+(?:when|while|for|in|on|with|without|before|after|because|since|that|which|who|to|from|at|as|"
    r"by|if|so|and|or|into|onto|via|using|instead|during|until|against|under|over|than|is|are|was|"
    r"does|doesn't|doesnt|isn't|not|can't|cannot|won't)\s",
    re.IGNORECASE,
)
# fmt: off
_LOOSE_ENDS = frozenset({
    "a", "an", "the", "of", "for", "to", "in", "on", "with", "and", "or", "my", "your", "our",
    "at", "by", "from", "as", "is", "when", "while", "that",
})
# fmt: on
# fmt: off
_DEGREES = frozenset({
    "more", "less", "fewer", "better", "earlier", "early", "late", "later", "often", "daily",
    "weekly", "well", "faster", "again", "regularly", "properly", "harder", "longer",
    "healthier", "healthily", "today", "enough", "outside", "much",
})
# fmt: on
_STATES = frozenset(["be", "become", "feel", "get", "keep", "stay"])
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_DEADLINE = re.compile(
    rf"\b(?:(?:by|before|until|due|on|this|next|every)\s+(?:the\s+)?(?:end\s+of\s+(?:the\s+)?)?"
    rf"(?:{_DAY}s?|{_MONTH}(?:\s+\d{{1,2}})?(?:st|nd|rd|th)?|tomorrow|tonight|noon|week(?:end)?|month|"
    rf"year|quarter|semester|summer|spring|autumn|fall|winter|evening|morning|afternoon|christmas|"
    rf"\d{{1,2}}(?::\d\d)?\s*(?:am|pm)|20\d\d)|tomorrow(?:\s+(?:morning|evening|night))?|tonight|today)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"[$€£]\s?\d[\d,.]*\d?\s?k?\b|\b\d[\d,.]*\s?(?:k|km|kms|mi|miles?|min|mins|minutes?|h|hrs?|hours?|pages?|"
    r"words?|kgs?|lbs?|pounds?|dollars?|euros?|times|days?|weeks?|months?|chapters?|reps?|percent)\b|"
    r"\b\d[\d,.]*\s?%",
    re.IGNORECASE,
)
_PERSONS = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "our": "your",
    "ours": "yours",
    "us": "you",
    "we": "you",
    "myself": "yourself",
    "i'm": "you're",
    "i’m": "you’re",
    "im": "you’re",
    "i've": "you've",
    "i'll": "you'll",
}
_PERSON_WORDS = "|".join(sorted(_PERSONS, key=len, reverse=True))
_PERSON = re.compile(rf"\b(?:{_PERSON_WORDS})\b", re.IGNORECASE)
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Slots:
    """What an outline's wording can take from a task; only the first three are never empty."""

    task: str
    object: str
    topic: str
    detail: str = ""
    amount: str = ""
    deadline: str = ""
    note: str = ""
    failing: str = ""
    files: str = ""
    branch: str = ""


def slots_of(task: Task) -> Slots:
    """Cut a task into slots; any text gives something that can stand in a sentence."""
    whole = _to_second_person(_without_lead_in(_PREFIX.sub("", task.title).strip(" .!?…")))
    whole = whole or task.title
    deadline = _DEADLINE.search(whole)
    amount = _AMOUNT.search(whole)
    timeless = " ".join(_DEADLINE.sub(" ", whole).split()).strip(" ,;:-") or whole
    about = _shortened(_object_of(_lower_first(timeless)))
    topic, detail = _topic_of(about)
    code = task.code_context
    failing = code.tests_failing if code else None
    return Slots(
        task=_lower_first(whole),
        object=about,
        topic=topic,
        detail=detail,
        amount=amount.group(0).strip() if amount else "",
        deadline=_lower_first(deadline.group(0)) if deadline else "",
        note=_first_sentence(task.description),
        failing=f"{failing} failing test{'s' if failing != 1 else ''}" if failing else "",
        files=", ".join(code.recent_files[:3]) if code else "",
        branch=code.current_branch if code else "",
    )


def fill(wording: str, slots: Slots, longest: int | None = None) -> str:
    """Put the slots into the wording once; brackets whose slot is empty vanish.

    Where the result is longer than `longest`, the object gives way to the shorter topic.
    """
    filled = _filled(wording, slots, slots.object)
    if longest is not None and len(filled) > longest:
        filled = _filled(wording, slots, slots.topic)
    return filled


def _filled(wording: str, slots: Slots, about: str) -> str:
    def value(slot: re.Match[str]) -> str:
        name = slot.group(1)
        return about if name == "object" else str(getattr(slots, name))

    def segment(part: re.Match[str]) -> str:
        empty = any(not getattr(slots, name) for name in _SLOT.findall(part.group(1)))
        return "" if empty else part.group(1)

    # Segments are settled on the wording alone, so a task's own brackets and braces stay as typed.
    filled = " ".join(_SLOT.sub(value, _SEGMENT.sub(segment, wording)).split())
    filled = re.sub(r"\s+([,.;:!?])", r"\1", filled)
    return filled[:1].upper() + filled[1:]


def _without_lead_in(text: str) -> str:
    while True:
        shorter = _LEAD_IN.sub("", text, count=1)
        if shorter in {text, ""}:
            return text
        text = shorter


def _to_second_person(text: str) -> str:
    return _PERSON.sub(lambda word: _PERSONS[word.group(0).lower().replace("’", "'")], text)


def _lower_first(text: str) -> str:
    """Lower the first letter unless the word is a name in capitals or camel case."""
    first = text.split(" ", 1)[0]
    keep = len(first) > 1 and any(letter.isupper() or letter.isdigit() for letter in first[1:])
    return text if keep else text[:1].lower() + text[1:]


def _object_of(text: str) -> str:
    """Return what the task is about: the text without its leading verbs and particles."""
    words = text.split()
    verb = ""
    while len(words) > 1 and words[0].lower() in _VERBS | {"to", "how", "and"}:
        verb, words = words[0].lower(), words[1:]
        if verb in _STATES:
            break
    particles = 0
    if verb:
        while len(words) > particles + 1 and words[particles].lower() in _PHRASAL:
            particles += 1
    if verb in _VERBS and (words[particles].lower() in _DEGREES or _is_a_state(verb, words)):
        return " ".join([_gerund(verb), *words])
    if len(words) == particles + 1 and words[particles].lower() in _VERBS:
        return _gerund(words[particles].lower())
    return " ".join(words[particles:])


def _is_a_state(verb: str, words: list[str]) -> bool:
    """“be patient” and “get fit” are about the whole of it; “get a haircut” about the haircut."""
    return verb == "be" or (verb in _STATES and len(words) == 1 and not words[0].endswith("s"))


def _gerund(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith("ee") and verb != "be":
        return verb[:-1] + "ing"
    doubles = re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", verb)
    return verb + (verb[-1] if doubles else "") + "ing"


def _shortened(text: str) -> str:
    words = text.split()[:LONGEST_OBJECT_WORDS]
    while len(words) > 1 and len(" ".join(words)) > LONGEST_OBJECT:
        words = words[:-1]
    while len(words) > 1 and words[-1].lower().strip(",;:-(") in _LOOSE_ENDS:
        words = words[:-1]
    return " ".join(words)[:LONGEST_OBJECT].strip(" ,;:-(")


def _topic_of(about: str) -> tuple[str, str]:
    """Return the short label without its article, and the phrase that follows it."""
    bare = _ARTICLES.sub("", about)
    cut = _CUT.search(bare)
    head = bare[: cut.start()] if cut else bare
    detail = bare[cut.start() :].strip() if cut else ""
    if _AMOUNT.fullmatch(head) and detail.startswith(("for ", "of ")):
        head, detail = _ARTICLES.sub("", detail.split(" ", 1)[1]), ""
    words = head.split()[:LONGEST_TOPIC_WORDS]
    return " ".join(words).strip(" ,;:") or about, detail


def _first_sentence(text: str, longest: int = 100) -> str:
    sentence = re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].strip(" .")
    if len(sentence) <= longest:
        return _to_second_person(sentence)
    return _to_second_person(sentence[:longest].rsplit(" ", 1)[0]) + " …"
