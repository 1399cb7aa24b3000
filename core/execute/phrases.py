"""What a task is about, by its grammar: a command, a question, or a statement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from core.execute.english import (
    ABOUT,
    AMOUNT,
    ASKING,
    BEFORE_A_VERB,
    CLAUSE_BEFORE,
    COMMON_VERBS,
    CUT,
    DETERMINER,
    EVENTS,
    FINITE,
    GIVEN,
    MANY,
    MODALS,
    NEVER_ALONE,
    NO_ARTICLE,
    NO_OBJECT,
    ORDINAL,
    PARTICLES,
    PERSONS,
    PLAIN_FINITE,
    STATE_WORDS,
    STATES,
    THEN_A_VERB,
    is_empty,
    is_result,
    is_state,
    lacks_object,
    without_receiver,
)
from core.execute.labels import About, doing, label, lowered, named, quoted, shortened

__all__ = ["Phrases"]

_YOU = re.compile(
    r"^you(?:(?P<are>[’']re| are) (?=\w)| (?P<state>feel|keep) (?=\w)|"
    r" \w+ (?=(?:your|the|an?|this|that|some|more) ))"
)
_ASKED = re.compile(
    r"^((?:what|which|who|where|when|how|why)\b.*?)\s?"
    r"\b(should|shall|can|could|do|would) you (.+)$"
)
_WHETHER = re.compile(r"^(should|shall|can|could|do|are|will|would|have) you (.+)$")
_WHAT_IS = re.compile(
    r"^(?:what[’']?s|(?:what|which|who|where|when)(?: \w+)? (?:is|are)) "
    r"((?:the|an?|your|his|her|their|this|that|some) .+)$"
)
_HOW_WORKS = re.compile(r"^how (?:does|do) (.+) work$")
_INVERTED = re.compile(
    r"^(?:is|are|was|were|does|did|has|would|should|(?:what|who|where|when|how)[’']?s|"
    r"(?:what|which|who|where|when|why|how)\b.*? "
    r"(?:is|are|was|were|does|do|did|has|have|had|can|will|would|should))\b (?=.)"
)


class Phrases:
    """Cuts short English texts by lists of words; what it does not know it leaves as typed."""

    def __init__(self, words: str) -> None:
        """Take the lists: `fix`, `script?`, `warm+up`, `cover_letter`, `button*`."""
        listed = set(re.sub(r"(?m)^#.*", "", words).split())
        self._nouns = {tuple(word.split("_")) for word in listed if "_" in word}
        self._pairs = {tuple(word.split("+")) for word in listed if "+" in word}
        self._maybe = {word[:-1] for word in listed if word.endswith("?")}
        self._things = {word[:-1] for word in listed if word.endswith("*")}
        self._verbs = {word for word in listed if word.isalpha()} | {"to"}

    def is_verb(self, word: str) -> bool:
        """Whether the word alone says only what to do."""
        return word.lower() in self._verbs

    def about(self, text: str) -> About:
        """Say what `text`, a task in the second person, is about."""
        about = self._asked(text) or self._of_you(text) or self._stated(text)
        about = about or self._commanded(text)
        return self._with_article(about, text) if about.topic.split() else About(text, text)

    def _with_article(self, about: About, text: str) -> About:
        """Give a thing of which there is one its article: “the login button”."""
        given = GIVEN.match(about.object)
        if given and about.object.startswith(about.topic, given.end()):
            return replace(about, article="your" if given[1].lower() == "your" else "the")
        thing = about.topic.split()[-1].lower() in self._things
        if (
            about.article
            or not thing
            or NO_ARTICLE.match(about.topic)
            or about.topic.split()[0] not in text
        ):
            return about
        article = "your" if ORDINAL.match(about.topic) else "the"
        named = about.object.startswith(about.topic) and not given
        return replace(about, object=f"{f'{article} ' * named}{about.object}", article=article)

    def _asked(self, text: str) -> About | None:
        """Turn a question into what is asked: “what to cook”, “whether you need a visa”."""
        low = lowered(text)
        if asked := _ASKED.match(low):
            opening, modal, rest = (text[slice(*asked.span(group))] for group in (1, 2, 3))
            by_you = modal.lower() in {"do", "would"} or opening.lower() == "why"
            return self._clause(f"{opening} {'you' if by_you else 'to'} {rest}")
        if asked := _WHETHER.match(low):
            modal, rest = asked.group(1), text[asked.start(2) :]
            verb = {"should": "to", "shall": "to", "do": "you"}.get(modal, f"you {modal}")
            return self._clause(f"whether {verb} {rest}")
        if asked := _WHAT_IS.match(low):
            return named(text[asked.start(1) :])
        if asked := _HOW_WORKS.match(low):
            works = "works" if low.startswith("how does") else "work"
            return self._clause(f"how {text[slice(*asked.span(1))]} {works}")
        return self._kept_question(text)

    def _kept_question(self, text: str) -> About | None:
        if _INVERTED.match(text.lower()):
            topic, article = self._first_noun(text)
            return About(quoted(text), topic or label(text), article=article)
        return self._clause(text) if text.lower().split()[0] in ASKING else None

    def _of_you(self, text: str) -> About | None:
        """“feeling overwhelmed”, “your job” of “you hate your job”, “finding your keys”."""
        words = text.split()
        if words[0] == "you" and words[2:] and words[1] in self._verbs - STATES:
            return doing(words[1], words[2:])
        if you := _YOU.match(lowered(text)):
            rest = text[you.end() :]
            state = "be" if you["are"] else you["state"]
            return doing(state, rest.split()) if state in {"be", "feel"} else named(rest)
        if words[0].lower().replace("’", "'") in {"can't", "cant", "cannot"} and len(words) > 1:
            return doing(words[1].lower(), words[2:])
        return None

    def _stated(self, text: str) -> About | None:
        """Quote a whole sentence such as “login button does nothing”; its subject is the topic."""
        words = text.split()
        low = [word.lower().strip(",.;:").replace("’", "'") for word in words]
        if self._is_verb(words):
            return None
        for place, word in enumerate(low[1:6], start=1):
            before = low[place - 1]
            if before in CLAUSE_BEFORE or words[place - 1].endswith((",", ":")):
                return None
            several = before.endswith("s") or before in MANY
            does = self._does(word, low[place + 1 : place + 2])
            if does or (word in FINITE and (several or word not in PLAIN_FINITE)):
                subject, said = words[: place + (word in EVENTS)], " ".join(words[place:])
                what = self._first_noun(said)[0] if before in PERSONS else ""
                return About(quoted(text), what or label(" ".join(subject)), said)
        return None

    def _does(self, word: str, then: list[str]) -> bool:
        """Whether the word is a verb such as “drops”, with an object after it."""
        known = word.endswith("s") and (word[:-1] in self._verbs or word[:-1] in self._maybe)
        return known and then != [] and then[0] in {"a", "all", "an", "no", "the", "your"}

    def _commanded(self, text: str) -> About:
        """Leave out the leading verb: “the lawn” of “mow the lawn”."""
        words = text.split()
        if words[0].endswith(":") and words[2:] and self._is_verb(words[1:]):
            words = words[1:]  # a label such as `wallet:` before a command
        return self._after_verb(words)

    def _after_verb(self, words: list[str]) -> About:
        verb, rest = self._split(words)
        if not verb or not rest:
            return named(" ".join(words))
        low = [word.lower() for word in rest]
        said = self._learned(verb, rest, low) or self._state(verb, rest, low)
        return said or self._object_after(verb, rest, low)

    def _object_after(self, verb: str, rest: list[str], low: list[str]) -> About:
        particles = 0
        while particles < len(rest) - 1 and low[particles] in PARTICLES:
            particles += 1
        what = " ".join(rest[particles:])
        if low[particles] in ASKING - NO_OBJECT:
            return self._clause(re.sub(r"^if ", "whether ", what, flags=re.IGNORECASE))
        if verb in NEVER_ALONE or lacks_object(low, particles):
            return doing(verb, rest)
        if verb in {"let", "allow"} and (place := self._next_verb(low)):
            return doing(low[place], rest[place + 1 :])  # “let people resize the pane”
        return named(self._only_object(verb, rest[particles:]))

    def _split(self, words: Sequence[str]) -> tuple[str, list[str]]:
        """Return the leading verb, the last of several joined ones, and what follows it."""
        verb, rest = "", list(words)
        while len(rest) > 1 and self._is_verb(rest):
            pair = tuple(word.lower() for word in rest[:2])
            first = 2 if pair in self._pairs and pair[1] not in PARTICLES else 1
            listed = rest[0].endswith(",")
            verb, rest = " ".join(rest[:first]).lower().rstrip(","), rest[first:]
            joined = 0
            while joined < len(rest) and rest[joined].lower() in PARTICLES:
                joined += 1
            if joined < len(rest) and rest[joined].lower() in {"and", "&", "+", "then"}:
                listed, joined = True, joined + 1
            if not listed or not self._is_verb([*rest[joined:], "", ""]):
                break
            rest = rest[joined:]
        return verb, rest

    def _is_verb(self, words: Sequence[str]) -> bool:
        """Whether a text that begins so begins with a verb."""
        first = words[0].lower().rstrip(",").split("/")[0]
        second = words[1].lower().rstrip(",.:;!?") if len(words) > 1 else ""
        if (first, second) in self._nouns or second in FINITE - PLAIN_FINITE:
            return False
        if (first, second) in self._pairs or first in self._verbs:
            return True
        if first not in self._maybe or not second:
            return False
        head = CUT.split(" ".join(["", *words[1:]]), maxsplit=1)[0]
        return bool(DETERMINER.match(second) or re.search(r"[^su]s$", head.lower()))

    def _learned(self, verb: str, rest: list[str], low: list[str]) -> About | None:
        """What one learns or starts to do: “juggling”, “driving stick”."""
        to = 1 if low[0] == "how" else 0
        if verb not in THEN_A_VERB or low[to : to + 1] != ["to"] or len(low) < to + 2:
            return None
        then = low[to + 1]
        known = then in self._verbs or then in self._maybe
        return doing(then, rest[to + 2 :]) if known else None

    def _state(self, verb: str, rest: list[str], low: list[str]) -> About | None:
        """“getting fit”, but “chess endgames” of “get better at chess endgames”."""
        if verb not in STATES:
            return None
        if low[:2] == ["able", "to"] and rest[2:]:
            return self._after_verb(rest[2:])
        if low[0] in STATE_WORDS and low[2:] and low[1] in PARTICLES | {"at"}:
            return named(" ".join(rest[2:]))
        follows = DETERMINER.match(low[0]) or low[0] in PARTICLES or low[0].endswith("s")
        got = verb == "get" and len(low) > 1 and not is_state(low[0])
        if verb in {"get", "go"} and (follows or low[-1].endswith("ing") or got):
            return None
        return doing(verb, rest)

    def _only_object(self, verb: str, words: list[str]) -> str:
        """Leave out a receiver, what is to become of the object, and the next task."""
        low = [word.lower() for word in words]
        if (asked_for := ABOUT.get(verb)) in low[1:-1]:
            return " ".join(words[low.index(asked_for or "") + 1 :])
        words = without_receiver(words, low)
        if words[2:] and low[-1] in {"away", "back", "down", "off", "out", "up"}:
            words = words[:-1]  # the particle of a verb such as “mix the drums down”
        low = [word.lower() for word in words]
        for place in range(1, len(words)):
            result = place > 1 and DETERMINER.match(low[0]) and is_result(verb, low[place])
            joins = low[place] in {"and", "then", "&"} and low[place + 1 : place + 2]
            if result or (joins and low[place + 1] in self._verbs):
                return " ".join(words[:place]).rstrip(",;")
        return " ".join(words)

    def _next_verb(self, low: list[str]) -> int:
        """Return the place of the next verb with something after it, or 0."""
        return next((at for at in range(1, len(low) - 1) if low[at] in self._verbs), 0)

    def _clause(self, text: str) -> About:
        topic, article = self._first_noun(text)
        return About(shortened(text, 12, 72), topic or shortened(text), article=article)

    def _first_noun(self, text: str) -> tuple[str, str]:
        """Return the first run of words that name something, and whether it has an article."""
        run: list[str] = []
        before = article = ""
        for word in text.split():
            bare = word.lower().strip(",.;:?!")
            joins = bool(run) and bare in {"and", "or"}
            names = joins or not (is_empty(bare) or self._is_done(bare, before, run))
            if run and (not names or bare in COMMON_VERBS):
                break
            if names and not run:
                article = {"your": "your", "the": "the", "a": "the", "an": "the"}.get(before, "")
            if names:
                run.append(word)
            if run and word[-1] in ",.;:?!":
                break
            before = bare
        named = " ".join(run)
        empty = not named or AMOUNT.fullmatch(named) is not None or named.isdigit()
        return ("", "") if empty else (label(named), article)

    def _is_done(self, word: str, before: str, run: list[str]) -> bool:
        """Whether the word is a verb of the question, not a name in it."""
        root = re.sub(r"(?:ing|ed|s|d)$", "", word)
        inflected = root != word and root in self._verbs | COMMON_VERBS and not run
        return inflected or before in MODALS or (before in BEFORE_A_VERB and word in self._verbs)
