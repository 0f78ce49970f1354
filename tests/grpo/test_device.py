"""A device is chosen by name or refused, and threads are given back."""

import pytest
import torch

from grpo.device import choose_device, cpu_threads
from grpo.errors import BadInput


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none_is_refused() -> None:
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(BadInput, match="'cpu' or 'auto'"):
        choose_device("cuda")


def test_threads_are_lent_for_a_while_and_given_back_even_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
    with cpu_threads(0):
        assert torch.get_num_threads() == before
