"""The generated model card."""

from sr.pretrained.catalogue import cards
from sr.pretrained.hub_card import model_card


def test_every_shipped_net_has_a_card_with_its_facts() -> None:
    for card in cards():
        text = model_card(card)
        assert text.startswith("---\nlibrary_name: sr-mobile\n") and f"# {card.name} x{card.scale:g}\n" in text
        assert all(facts["sha256"] in text for facts in card.files.values()) and card.commands[0] in text
        for heading in ("Scores", "Data", "Licence", "Certificate", "Use", "Reproduce"):
            assert f"\n## {heading}\n" in text
