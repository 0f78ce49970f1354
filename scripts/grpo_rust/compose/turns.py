"""Conversations of several turns, as a recipe wants them."""

from __future__ import annotations

from grpo.model.policy import Policy
from grpo.model.turn_tokens import TurnTokens
from grpo.rollout.records import Grader
from grpo.rollout.turns.playing import FeedbackGrader, TurnRules
from grpo.schema import ConfigError
from grpo_rust.recipe import Recipe

__all__ = ["build_turns", "sequence_limit"]


def build_turns(recipe: Recipe, policy: Policy, grader: Grader) -> TurnRules | None:
    """How conversations go on; None where they have one turn.

    Args:
        recipe: The settings.
        policy: Who speaks in them.
        grader: Says what is wrong with a completion.
    Raises:
        ConfigError: For a grader that says nothing.
        BadInput: For a chat template that does not continue a conversation.
    """
    if recipe.rollout.turns == 1:
        return None
    if not isinstance(grader, FeedbackGrader):
        raise ConfigError(f"rollout.turns = {recipe.rollout.turns}: this grader says nothing about completions: use 1")
    tokens = TurnTokens(policy.tokenizer, policy.stop_ids)
    limit = sequence_limit(recipe, policy)
    return TurnRules(recipe.rollout.turns, recipe.rollout.turn_credit, grader.feedback, tokens.encode, limit)


def sequence_limit(recipe: Recipe, policy: Policy) -> int:
    """The most tokens of a sequence that engines are made for; no conversation is longer than the model's context."""
    longest = recipe.longest_sequence()
    if recipe.rollout.turns == 1:
        return longest
    return min(longest, getattr(policy.model.config.get_text_config(), "max_position_embeddings", None) or longest)
