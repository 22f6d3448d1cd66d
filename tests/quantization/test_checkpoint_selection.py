import math

import pytest

from sr.quantization.checkpoint_selection import is_better, lead_db
from tests.quantization.states import same, state


def test_equal_leads_have_no_error():
    assert lead_db([2.0, 5.0], [1.0, 4.0]) == (1.0, 0.0)


def test_one_image_tells_nothing_of_others():
    assert lead_db([2.0], [1.0]) == (1.0, math.inf)


def test_different_images_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        lead_db([2.0, 3.0], [1.0])


INF = math.inf


@pytest.mark.parametrize(
    ("earlier", "last", "lead", "error"),
    [
        ([INF, 31.0], [INF, 30.0], 0.5, 0.5),
        ([INF, INF], [INF, INF], 0.0, 0.0),
        ([INF], [INF], 0.0, INF),
        ([INF, 31.0], [40.0, 30.0], INF, INF),
        ([40.0, 31.0], [INF, 30.0], -INF, INF),
        ([INF, 40.0], [40.0, INF], 0.0, INF),
    ],
)
def test_images_that_equal_their_reference_decide_nothing(earlier, last, lead, error):
    assert lead_db(earlier, last) == (lead, error)
    assert is_better(earlier, last) == (lead > 0)


def test_the_first_state_is_the_best_so_far():
    assert is_better([1.0], None)


@pytest.mark.aimet
def test_a_black_image_hides_no_better_state(run, make_qat, tmp_path):
    scores = iter([[INF, 1.0, 2.0], [INF, 3.0, 4.0], [INF, 5.0, 6.0], [INF, 4.0, 4.9], [INF, 2.0, 3.0]])
    kept = run(make_qat(keep="best"), folder=tmp_path, score=lambda net: next(scores))
    assert kept.figures["qat_best_iteration"] == kept.figures["qat_kept_iteration"] == 10


def three(mean):
    """PSNR of three images that are always equally far apart."""
    return [mean - 1, mean, mean + 1]


@pytest.mark.aimet
def test_the_best_checkpoint_is_kept(run, make_qat, tmp_path):
    scores = iter([1.0, 3.0, 5.0, 4.0, 2.0])  # of the start and of iterations 5, 10, 15, 20
    kept = run(make_qat(keep="best"), folder=tmp_path / "best", score=lambda net: three(next(scores)))
    assert (kept.figures["qat_start_psnr_db"], kept.figures["qat_best_psnr_db"]) == (1, 5)
    assert kept.figures["qat_best_iteration"] == kept.figures["qat_kept_iteration"] == 10
    scores = iter([1.0, 3.0, 5.0])

    class KilledError(Exception):
        pass

    def killed(net):
        try:
            return three(next(scores))
        except StopIteration:
            raise KilledError from None

    with pytest.raises(KilledError):
        run(make_qat(keep="best"), folder=tmp_path / "killed", score=killed)
    later = iter([4.0, 2.0])
    resumed = run(make_qat(keep="best"), folder=tmp_path / "killed", score=lambda net: three(next(later)))
    assert same(state(kept), state(resumed)), "also where the best lies before the kill"
    assert not same(state(kept), state(run(make_qat(), folder=tmp_path / "last")))


@pytest.mark.aimet
def test_a_training_that_helps_nothing_leaves_the_net(run, make_qat):
    scores = iter([9.0, 1.0, 1.0, 1.0, 1.0])
    assert same(state(run(make_qat(keep="best"), score=lambda net: three(next(scores)))), state(run()))


@pytest.mark.aimet
def test_a_lead_within_its_standard_error_is_chance(run, make_qat, caplog, tmp_path):
    scores = iter([three(1.0), three(3.0), [6.0, 5.0, 4.0], three(4.0), [6.3, 4.6, 4.0]])
    kept = run(make_qat(keep="best"), folder=tmp_path / "best", score=lambda net: next(scores))
    assert (kept.figures["qat_best_iteration"], kept.figures["qat_kept_iteration"]) == (10, 20)
    assert same(state(kept), state(run(make_qat(), folder=tmp_path / "last")))
    assert not caplog.records


@pytest.mark.aimet
def test_one_image_decides_nothing_and_that_is_said(run, make_qat, caplog, tmp_path):
    scores = iter([[1.0], [3.0], [5.0], [4.0], [2.0]])
    kept = run(make_qat(keep="best"), folder=tmp_path / "best", score=lambda net: next(scores))
    assert same(state(kept), state(run(make_qat(), folder=tmp_path / "last")))
    assert "that of iteration 10 is 3.000 dB better, but on a single held-out image" in caplog.text
