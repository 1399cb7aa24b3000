"""Closed classes of English words, and what they tell of a phrase."""

from __future__ import annotations

import re

__all__ = [
    "ABOUT",
    "AMOUNT",
    "ARTICLE",
    "ASKING",
    "BEFORE_A_VERB",
    "CLAUSE_BEFORE",
    "COMMON_VERBS",
    "CUT",
    "DETERMINER",
    "EMPTY",
    "EVENTS",
    "FINITE",
    "GIVEN",
    "LOOSE_ENDS",
    "MANY",
    "MODALS",
    "NEVER_ALONE",
    "NO_ARTICLE",
    "NO_OBJECT",
    "ORDINAL",
    "PARTICLES",
    "PERSONS",
    "PLAIN_FINITE",
    "SAVES",
    "STATES",
    "STATE_WORDS",
    "THEN_A_VERB",
    "is_empty",
    "is_result",
    "is_state",
    "lacks_object",
    "leads_on",
    "without_receiver",
]

AMOUNT = re.compile(
    r"[$€£]\s?\d[\d,.]*\d?\s?k?\b|"
    r"\b(?!401k)\d[\d,.]*k?\s?(?:k|kms?|mi|miles?|mins?|minutes?|h|hrs?|hours?|pages|words|kgs?|"
    r"lbs?|g|mg|ml|oz|pounds?|dollars?|bucks|euros?|lit(?:re|er)s?|cups|glasses|steps|times|days?|"
    r"weeks?|months?|years?|chapters|laps|reps|sets|percent)\b|\b\d[\d,.]*\s?%|"
    r"\b(?:two|three|four|five|six|eight|ten|twenty|thirty) (?:minutes|hours|days|weeks|months|"
    r"years|pages|times|kilos|miles)\b",
    re.IGNORECASE,
)
_ARTICLES = (
    r"the|a|an|your|his|her|their|its|some|any|this|that|these|those|another|all|every|each"
)
ARTICLE = re.compile(rf"^(?:(?:{_ARTICLES})\s+)+", re.IGNORECASE)
GIVEN = re.compile(r"(the|an?|that|this|your)\s+", re.IGNORECASE)
NO_ARTICLE = re.compile(
    r"(?:(?:an?|the|your|next [\w-]+['’]s|\w+ing (?:your|the|an?)|no|less|more|fewer|last|couch)"
    r"\b|[\w-]+['’]|.* (?:vs|or) )",
    re.IGNORECASE,
)
ORDINAL = re.compile(r"(?:first|next) (?![\w-]+['’])", re.IGNORECASE)
DETERMINER = re.compile(
    rf"^(?:{_ARTICLES}|one|two|three|four|five|ten|up|out|new|old|more|\d.*|.+['’]s)$"
)
# What ends a label: a mark, a preposition, the start of a clause.
CUT = re.compile(
    r"[,;:]\s+|\s+\(|\s+[-–—]+\s+|\s+(?:(?<!of )that|of (?=what|how|why)|re:|\w+ times an?|"
    r"about(?! (?:me|page|section|us)\b)|abt|after|against|around|as|at|because|before|behind|"
    r"between|by|during|each|every|for|from|if|in|instead|into|near|next to|off|on|onto|over|per|"
    r"round|since|so|than|through|twice|till|to(?! do\b)|towards?|under|until|using|via|when|"
    r"where|which|while|who|with|without|w/|w/o|is|are|was|were|not)\s+",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"(?:\d|(?:every|each) (?:\w+)?(?:day|night|morning|evening|week|month|hour)|once|twice)"
)
# fmt: off
PARTICLES = frozenset({
    "about", "along", "around", "aside", "away", "back", "down", "for", "forward", "in", "into",
    "of", "off", "on", "out", "over", "through", "thru", "to", "together", "towards", "up", "upon",
    "with",
})
# After a verb these say how, when or where, not what.
NO_OBJECT = frozenset({
    "abroad", "after", "again", "alone", "as", "asleep", "at", "before", "better", "between", "by",
    "daily", "deeper", "during", "earlier", "early", "enough", "faster", "fewer", "from", "harder",
    "healthier", "healthily", "higher", "instead", "kinder", "late", "later", "less", "lighter",
    "like", "longer", "louder", "more", "not", "often", "outdoors", "outside", "properly",
    "regularly", "slower", "smarter", "so", "till", "today", "tomorrow", "tonight", "until",
    "weekly", "well", "when", "while", "within", "without", "worse",
})
PLACES = frozenset({"bed", "form", "home", "school", "shape", "sleep", "track", "work"})
# Verbs that make a sentence of what stands before them; the plain ones only after a plural.
PLAIN_FINITE = frozenset({
    "cost", "disappear", "don't", "dont", "fail", "get", "have", "hurt", "keep", "look", "need",
})
FINITE = PLAIN_FINITE | frozenset({
    "are", "aren't", "arent", "becomes", "breaks", "broke", "can", "can't", "cannot", "cant",
    "comes", "costs", "crashed", "crashes", "did", "didn't", "didnt", "died", "disappears",
    "does", "doesn't", "doesnt", "exits", "failed", "fails", "feels", "flickers", "freezes",
    "gets", "gives", "goes", "got", "hangs", "has", "hasn't", "hurts", "ignores", "is", "isn't",
    "isnt", "jumps", "keeps", "leaks", "loads", "looks", "loses", "makes", "needs", "opens",
    "ran", "renders", "returns", "says", "seems", "sends", "shows", "smells", "stopped", "stops",
    "swallows", "takes", "throws", "was", "wasn't", "were", "won't", "wont", "works",
})
COMMON_VERBS = frozenset({
    "affect", "be", "become", "came", "cause", "come", "cost", "costs", "crash", "do", "drop",
    "fail", "fell", "forget", "freeze", "get", "go", "goes", "going", "hang", "happen", "have",
    "help", "keep", "leak", "lose", "make", "mean", "need", "return", "rise", "show", "stop",
    "suits", "take", "throw", "want", "went", "work", "works",
})
ASKING = frozenset({"how", "if", "what", "when", "where", "whether", "which", "who", "why"})
LOOSE_ENDS = frozenset({
    "", "&", "+", "-", "/", "a", "after", "again", "an", "and", "are", "as", "at", "be", "because",
    "before", "but", "by", "daily", "each", "every", "for", "from", "he", "how", "if", "in",
    "into", "is", "it", "my", "nightly", "of", "on", "or", "our", "per", "she", "so", "than",
    "that", "the", "their", "they", "to", "too", "twice", "w/", "w/o", "what", "when", "which",
    "while", "who", "with", "your", "–", "—",
})
# Words that cannot be a label on their own.
EMPTY = ASKING | FINITE | LOOSE_ENDS | frozenset({
    "actually", "always", "am", "bad", "been", "best", "better", "could", "deep", "do", "due",
    "far", "fast", "few", "first", "free", "good", "here", "i", "it", "just", "kind", "left",
    "long", "many", "most", "much", "normal", "often", "ok", "really", "right", "safe", "should",
    "since", "slow", "sort", "spent", "still", "take", "there", "this", "time", "type", "under",
    "until", "want", "what's", "whats", "what’s", "will", "worth", "would", "wrong", "you",
    "you’re",
})
MANY = frozenset({"children", "feet", "kids", "men", "people", "teeth", "they", "women"})
# Who meets a fault; the fault is what the task is about.
PERSONS = MANY | frozenset({
    "admins", "clients", "customers", "editors", "everyone", "players", "students", "user",
    "users", "visitors",
})
STATES = frozenset({"be", "become", "feel", "get", "go", "stay"})
STATE_WORDS = frozenset({
    "better", "comfortable", "confident", "decent", "done", "familiar", "fluent", "good", "great",
    "ready", "reimbursed", "rid", "started", "unstuck", "used",
})
_STATES_OF_MIND = frozenset({"active", "back", "fit", "married", "real"})
THEN_A_VERB = frozenset({
    "begin", "continue", "decide", "forget", "go", "help", "how", "learn", "remember", "start",
    "try", "volunteer",
})
# Verbs whose object alone would say the opposite, or nothing.
NEVER_ALONE = frozenset({"gain", "lose"})
SAVES = frozenset({"put", "raise", "save", "set", "stash"})
# What is asked for: “help my kid with fractions”, “ask the hospital for a payment plan”.
ABOUT = {"ask": "for", "help": "with"}
_RESULTS = frozenset({
    "alive", "bigger", "clearer", "darker", "easier", "faster", "feel", "happen", "larger",
    "lighter", "load", "look", "run", "shorter", "simpler", "smaller", "start", "stick", "sticky",
    "wider", "work",
})
_DONE = frozenset({"back", "cut", "done", "made", "ready", "working"})
# Verbs that read as nouns too: “app crashes”.
EVENTS = frozenset({
    "crashes", "errors", "exits", "flickers", "freezes", "hangs", "jumps", "leaks",
})
CLAUSE_BEFORE = frozenset({
    "and", "as", "because", "before", "how", "if", "not", "since", "so", "than", "that", "to",
    "until", "what", "when", "where", "whether", "which", "while", "who", "why", "you",
})
BEFORE_A_VERB = frozenset({"and", "not", "to", "you"})
MODALS = frozenset({"can", "can't", "can’t", "cannot", "cant", "could", "should"})
# fmt: on


def lacks_object(low: list[str], particles: int) -> bool:
    """Whether no object follows, only a place, a time or an amount: “up at 6”, “5 kg”."""
    if low[particles] in NO_OBJECT or low[particles].strip(".,") in PLACES:
        return True
    text = " ".join(low[particles:])
    amount = AMOUNT.match(text)
    if particles:
        return bool(_EVERY.match(text) or amount)
    bare = low[0].isdigit() and len(low) > 1 and low[1] in PARTICLES
    often = _EVERY.match(text) is not None and not text[0].isdigit()
    return bare or often or (amount is not None and not text[amount.end() :].startswith(" of "))


def leads_on(word: str) -> bool:
    return word in PARTICLES or word in NO_OBJECT or ARTICLE.match(f"{word} ") is not None


def is_empty(word: str) -> bool:
    """Whether the word, in lower case, names nothing."""
    return word in EMPTY or word in PARTICLES or ARTICLE.match(f"{word} ") is not None


def is_state(word: str) -> bool:
    return (
        word in STATE_WORDS
        or word in _STATES_OF_MIND
        or word.endswith(("ed", "ier", "er", "thy", "ful"))
    )


def is_result(verb: str, word: str) -> bool:
    """Whether the word says what is to become of the object: “done”, “collapsible”."""
    if verb in {"get", "have"}:
        return word.endswith("ed") or word in _DONE
    return verb in {"make", "keep"} and (word.endswith(("able", "ible")) or word in _RESULTS)


def without_receiver(words: list[str], low: list[str]) -> list[str]:
    """“a surprise party” of “dad a surprise party”, “kids for swimming” of “kids up for …”."""
    if low[0] == "you" and words[2:]:
        return words[1 + (low[1] in PARTICLES) :]
    first = 2 if low[0] in {"your", "the"} else 1
    if low[first : first + 1] in (["a"], ["an"]) and len(words) > first + 1:
        return words[first:]
    parted = not low[0].endswith("ing") and low[1:2] in (["up"], ["off"])
    if parted and low[2:3] and low[2] in {"for", "from", "at", "with"}:
        return [words[0], *words[2:]]
    return words
