"""Print a number: NDCG@10 of such a model on the last week of transactions.csv. A person looks at it."""

from level1_manual.train import HALF_LIFE, POPULAR_WEIGHT, read_transactions
from level1_manual.workplace import laptop
from shared.model.frecency import Frecency
from shared.model.holdout import hold_out
from shared.model.popular import last_day
from shared.program import run_program

# The person types it into the spreadsheet from here.
NUMBER = "ndcg.txt"


def main() -> None:
    """Train once more without the last week, and judge on that week."""
    transactions = read_transactions()
    holdout = hold_out(transactions, last_day(transactions))
    model = Frecency(half_life=HALF_LIFE, popular_weight=POPULAR_WEIGHT)
    metrics = holdout.judge(model.fit(holdout.known, as_of=holdout.known_through))
    (laptop() / NUMBER).write_text(f"{metrics['ndcg_at_10']:.4f}\n")
    print(f"NDCG@10 {metrics['ndcg_at_10']:.4f} for {metrics['customers']:.0f} customers")


if __name__ == "__main__":
    run_program(main)
