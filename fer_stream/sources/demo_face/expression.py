"""What the drawn face can do with its muscles."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Expression:
    """A pose of the face; all zero is a neutral face with its eyes open.

    The amounts are named after the action units (AU) of the Facial Action Coding System (Ekman,
    Friesen and Hager, 2002) and run from 0, relaxed, to about 1, as strong as a face can.
    """

    inner_brow_raise: float = 0.0
    """AU1: inner ends of the brows go up."""
    outer_brow_raise: float = 0.0
    """AU2: outer ends of the brows go up."""
    brow_lower: float = 0.0
    """AU4: brows go down and together, with folds between them."""
    upper_lid_raise: float = 0.0
    """AU5: eyes open wide."""
    cheek_raise: float = 0.0
    """AU6: cheeks go up and narrow the eyes from below."""
    lid_tighten: float = 0.0
    """AU7: both lids narrow the eye."""
    nose_wrinkle: float = 0.0
    """AU9: skin beside the nose goes up."""
    upper_lip_raise: float = 0.0
    """AU10: upper lip goes up and shows teeth."""
    corner_pull: float = 0.0
    """AU12: mouth corners go up and out, a smile."""
    corner_depress: float = 0.0
    """AU15: mouth corners go down."""
    chin_raise: float = 0.0
    """AU17: chin and lower lip are pushed up."""
    lip_stretch: float = 0.0
    """AU20: mouth gets wide; below 0, narrow and round (AU18)."""
    lip_tighten: float = 0.0
    """AU23, AU24: lips get thin and pressed."""
    lips_part: float = 0.0
    """AU25: lips open."""
    jaw_drop: float = 0.0
    """AU26, AU27: lower jaw goes down."""
    eyes_closed: float = 0.0
    """AU43, AU45: upper lid goes down; 1 is shut."""
    eyes_down: float = 0.0
    """AU64: gaze goes down; below 0, up (AU63)."""

    def towards(self, other: Expression, share: float) -> Expression:
        """Return the pose on the way to `other`; `share` 0 is this one, 1 the other."""
        return Expression(
            **{
                f.name: (1 - share) * getattr(self, f.name) + share * getattr(other, f.name)
                for f in fields(self)
            }
        )


# The combinations are those that Ekman, Friesen and Hager give for each emotion, give or take a
# part that only helps: a gaze that drops, a nose that wrinkles.
NEUTRAL = Expression()
"""No action units."""
HAPPY = Expression(cheek_raise=0.8, corner_pull=1.0, lips_part=0.55)
"""AU6+12+25."""
SURPRISED = Expression(
    inner_brow_raise=1.0,
    outer_brow_raise=1.0,
    upper_lid_raise=1.0,
    lip_stretch=-0.8,
    lips_part=0.6,
    jaw_drop=1.0,
)
"""AU1+2+5+25+26, with rounded lips (AU18)."""
SAD = Expression(
    inner_brow_raise=1.05,
    cheek_raise=0.6,
    lid_tighten=0.1,
    corner_depress=1.0,
    chin_raise=0.8,
    lips_part=0.15,
    eyes_closed=0.42,
    eyes_down=0.5,
)
"""AU1+6+15+17, with heavy lids and lowered eyes."""
ANGRY = Expression(
    brow_lower=1.1,
    upper_lid_raise=0.6,
    cheek_raise=0.4,
    lid_tighten=0.7,
    nose_wrinkle=0.9,
    upper_lip_raise=0.6,
    corner_depress=0.2,
    lip_tighten=0.3,
    lips_part=0.35,
)
"""AU4+5+7+10+23+25, a snarl: with a wrinkled nose (AU9), which lifts the cheeks too (AU6)."""
