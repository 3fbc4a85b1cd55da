"""A small lexicon of how customers praise and complain; write your own for another trade."""

from __future__ import annotations

_WORDS = {
    2.0: """
        amazing awesome brilliant delighted excellent exceptional fabulous fantastic flawless
        impeccable incredible love loved loving marvellous outstanding perfect perfectly superb
        terrific top-notch wonderful
    """,
    1.0: """
        accurate affordable apology apologised apologized appreciate appreciated attentive bargain
        beautiful best brilliantly careful cheap clean clear clearly comfortable convenient
        courteous dependable easy easily efficient efficiently effortless enjoy enjoyed enjoyable
        fair fast fine fixed flexible friendly generous glad good grateful great handy happy
        helped helpful honest impressed informative intuitive kind kindly knowledgeable lovely
        modern neat nice nicely patient pleasant pleased pleasure polite professional prompt
        promptly punctual quick quickly reasonable recommend recommended refunded reliable
        resolved respectful responsive safe satisfied seamless secure simple smooth smoothly solid
        solved speedy spotless stable straightforward thorough thoughtful tidy tidied transparent
        trust trusted understanding useful valued welcome welcoming well works worked worth
    """,
    -1.0: """
        annoyed annoying bad badly blame bother broke broken bug bugs buggy cancel cancelled
        canceled chaos charged cheated clumsy cold complain complained complaint complaints
        complicated confused confusing costly crash crashed crashes crashing cumbersome cut damage
        damaged deaf delay delayed delays delete difficult dirty disappoint disappointed
        disappointing disconnected dishonest dismissive down drop dropped dropping drops endless
        error errors expensive fail failed failing fails failure fault faults faulty fee fees forced
        forgot forgotten freeze freezes freezing froze frozen frustrated frustrating frustration
        glitch glitches hard hidden hold ignore ignored impatient impersonal impossible
        inaccurate incomplete inconvenient incorrect inefficient inflexible interrupted issue issues
        joke lack lacking lag late lost mad mess messy misleading missed missing mistake mistakes
        nasty noisy old outage outages outdated overcharged overpriced pain patronising pointless
        poor poorly problem problems queue queues refuse refused regret rude sad scam shame shock
        shocked short slow slower slowly sluggish sorry stuck surprise surprises tedious terminate
        tired trouble troubles unable unacceptable unanswered unavailable unclear
        uncomfortable underwhelming unexpected unfair unfriendly unhappy unhelpful unprofessional
        unreasonable unreliable unresolved unresponsive unsatisfied unstable unusable upset
        useless wait waited waiting waits waste wasted weak worried worse wrong
    """,
    -2.0: """
        abysmal angry appalling atrocious awful catastrophe catastrophic dire disaster disastrous
        disgrace disgraceful disgusted disgusting dreadful fraud furious garbage hate hated horrible
        horrific hopeless horrendous liar liars lie lied nightmare outrageous pathetic rubbish
        scandal shambles shocking terrible worst
    """,
}
_PHRASES = {
    "all good": 1.0,
    "as promised": 1.0,
    "cut off": -1.0,
    "day off": 0.0,
    "for ever": -1.0,
    "hang up": -1.0,
    "hung up": -1.0,
    "keeps logging": -1.0,
    "let down": -1.5,
    "log in": 0.0,
    "logging me out": -1.0,
    "long time": -1.0,
    "never again": -2.0,
    "never came": -1.5,
    "never ordered": -1.0,
    "never showed": -1.5,
    "no idea": -1.0,
    "no show": -1.5,
    "not bad": 0.5,
    "nobody answers": -1.0,
    "nobody can explain": -1.0,
    "nobody knows": -1.0,
    "nobody told": -1.0,
    "on hold": -1.0,
    "on time": 1.0,
    "sort out": -0.5,
    "sort this out": -1.0,
    "thank you": 1.0,
    "too long": -1.0,
    "waste of time": -2.0,
    "went down": -1.0,
    "went up": -1.0,
    "without warning": -1.0,
    "did not come": -1.5,
    "didn't come": -1.5,
    "could not have been simpler": 1.5,
    "does not load": -1.0,
    "does not work": -1.5,
    "doesn't work": -1.5,
    "not working": -1.5,
}

ENGLISH: dict[str, float] = {
    word: weight for weight, words in _WORDS.items() for word in words.split()
} | _PHRASES

NEGATIONS = frozenset(
    """
    no not never none neither nor nothing nobody without hardly barely scarcely cannot can't don't
    doesn't didn't isn't aren't wasn't weren't won't wouldn't couldn't shouldn't haven't hasn't
    hadn't lacks zero
    """.split()  # noqa: SIM905
)
STRONGER = frozenset(
    """
    absolutely completely deeply entirely exceptionally extremely highly incredibly really so super
    terribly totally too truly utterly very
    """.split()  # noqa: SIM905
)
WEAKER = frozenset(
    ("barely", "fairly", "kinda", "mildly", "partly", "pretty", "quite", "rather", "slightly")
)
