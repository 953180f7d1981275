"""Which reviews were used up."""

from django.db import models


class UsedReview(models.Model):
    """A review that a person agreed to: its token is good once. No record of money; old rows go."""

    nonce = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "oco_used_reviews"

    def __str__(self) -> str:
        return self.nonce
