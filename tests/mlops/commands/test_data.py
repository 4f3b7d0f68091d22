"""The `data` commands: what an operator types, and what they are told."""

import json
from datetime import date
from pathlib import Path

import pytest

from mlops.root import commands
from shared.dataset.feed import Feed
from shared.model.frecency import Frecency
from shared.places import home, level_folder
from shared.program import run_program
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import Pointer, point_to

MAPPING = ["--customer", "who", "--product", "what", "--time", "when", "--name", "name"]


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without a shop."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """A command's exit code, and all that it printed."""
    code = 0
    try:
        run_program(lambda: commands(list(words), prog_name="mlops"))
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def till(path: Path, first: int, last: int, name: str = "Tea", quantity: str = "") -> Path:
    """A till's export of some days of May 2017."""
    lines = ["who,what,when,name" + (",qty" if quantity else "")]
    for day in range(first, last + 1):
        lines += [f"c{who},p{who % 3},2017-05-{day:02} 10:00,{name}" for who in range(6)]
    path.write_text("\n".join(lines) + "\n")
    return path


def make_live(level: int) -> None:
    """Let a level have a live release, trained on all that the shop has."""
    feed, at = Feed(home() / "shop"), level_folder(level)
    model = Frecency().fit(feed.through(feed.last_day), as_of=feed.last_day)
    write_bundle(at / "bundles" / "1.0", model, feed.products(), Evidence("data", "code"))
    point_to(at, Pointer("1.0", "bundles/1.0", digest_of(at / "bundles" / "1.0")))


def test_a_shop_grows_and_what_was_trained_on_other_days_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING)[0] == 0
    make_live(2)
    code, told = run(capsys, "data", "add", str(till(tmp_path / "b.csv", 11, 12)))
    assert (code, Feed(home() / "shop").last_day) == (0, date(2017, 5, 12))
    assert "2 new days, 2017-05-11 to 2017-05-12, 12 rows." in told
    assert "Level 2" not in told
    mended = tmp_path / "c.csv"
    mended.write_text((tmp_path / "a.csv").read_text().replace("c5,p2,2017-05-09", "c5,p0,2017-05-09"))
    code, told = run(capsys, "data", "add", str(mended))
    assert code == 0
    assert "2017-05-09 corrected: 6 rows in place of 6." in told
    assert "Level 2's live release 1.0, which knows days through 2017-05-10, knows 2017-05-09 as it was before" in told
    assert "added already" in run(capsys, "data", "add", str(mended))[1]
    code, told = run(capsys, "data", "info", "--json")
    assert [line.split(":")[0] for line in json.loads(told)["added"]] == ["b.csv", "c.csv"]


def test_what_level_3_will_refuse_of_new_days_is_told_and_how_to_mend_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = tmp_path / "products.csv"
    catalogue.write_text("id,name,group\np0,Tea,Food\np1,Cake,Food\np2,Mug,Home\n")
    run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING, "--products", str(catalogue))
    later = till(tmp_path / "b.csv", 11, 11)
    later.write_text(later.read_text().replace(",p2,", ",p9,").replace("c0", "NULL"))
    code, told = run(capsys, "data", "add", str(later), "--missing", "NULL", "--accept-loss")
    assert code == 0
    assert "no customer (row 2)" in told
    assert "2017-05-11, product_id: unknown products, 40.0% (limit 5%)" in told
    assert "pass the new products as --products FILE" in told
    catalogue.write_text("id,name,group\np9,Pot,Home\n")
    code, told = run(capsys, "data", "add", str(later), "--missing", "NULL", "--products", str(catalogue))
    assert (code, "1 new product in the catalogue" in told) == (0, True)
    garbled = till(tmp_path / "c.csv", 12, 12)
    garbled.write_text(garbled.read_text().replace("c0", "cÃ¤"))
    code, told = run(capsys, "data", "add", str(garbled))
    assert "1 garbled identifiers" in told
    assert "--products FILE" not in told


def test_level_1_may_know_a_corrected_day_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING)
    server = level_folder(1) / "server"
    server.mkdir(parents=True)
    (server / "model.pkl").write_bytes(b"a model")
    assert "Level 1" not in run(capsys, "data", "add", str(till(tmp_path / "b.csv", 11, 12)))[1]
    (tmp_path / "c.csv").write_text((tmp_path / "a.csv").read_text().replace("c5,p2,2017-05-09", "c5,p0,2017-05-09"))
    assert "Level 1 keeps no record" in run(capsys, "data", "add", str(tmp_path / "c.csv"))[1]


def test_days_cannot_be_added_where_there_is_no_shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "data", "add", str(till(tmp_path / "b.csv", 1, 2)))
    assert code == 2
    assert "data import" in told


def test_another_shop_sets_what_the_levels_made_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING)
    make_live(2)
    make_live(3)
    code, told = run(capsys, "data", "import", str(till(tmp_path / "b.csv", 1, 3)), *MAPPING, "--replace")
    assert code == 0
    assert "What level2 held was made of the shop 'a'" in told
    assert "level3 begins anew with 'b'" in told
    assert (home() / "aside" / "level3-1" / "live.json").exists()
    assert "1.0" not in run(capsys, "--level", "3", "status")[1]


def test_a_shop_whose_record_is_damaged_can_be_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING)
    make_live(2)
    (home() / "shop" / "shop.json").write_text("{")
    code, told = run(capsys, "data", "import", str(till(tmp_path / "b.csv", 1, 3)), *MAPPING, "--replace")
    assert code == 0
    assert (home() / "aside" / "level2-1" / "live.json").exists()
    assert "level2 begins anew" in told


def test_what_was_left_of_another_shop_is_set_aside_by_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "data", "import", str(till(tmp_path / "a.csv", 1, 10)), *MAPPING)
    make_live(2)
    run(capsys, "--level", "2", "status")
    (home() / "shop").rename(tmp_path / "moved")
    run(capsys, "data", "import", str(till(tmp_path / "b.csv", 1, 3)), *MAPPING)
    assert (home() / "aside" / "level2-1" / "live.json").exists()


def test_terminal_escapes_in_names_stay_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = till(tmp_path / "a.csv", 1, 3, name="\x1b[31mTea\x9b5m")
    code, told = run(capsys, "data", "import", str(file), *MAPPING, "--shop-name", "\x1b]0;x\x07shop")
    assert code == 0
    told += (
        run(capsys, "data", "info")[1]
        + run(capsys, "data", "import", str(file), "--customer", "\x1b[2J", *MAPPING[2:])[1]
    )
    assert not set(told) & {"\x1b", "\x07", "\x9b"}
    assert "\x1b" not in Feed(home() / "shop").products()["product_name"].str.cat()


def test_an_answer_on_a_terminal_is_text() -> None:
    from mlops.commands.ask import describe
    from mlops.options import printable

    item = {"rank": 1, "name": "Tea\x1b[2J", "reason": "bought"}
    told = printable(describe(3, {"release": "1.0", "customer": "\x9bx", "recommendations": [item]}))
    assert not set(told) & {"\x1b", "\x9b"}
