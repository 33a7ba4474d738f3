"""Random parts of an RDD. A seed gives the same elements as in PySpark."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import accumulate, pairwise, repeat
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import PySparkValueError
from millstream.rdd.base import T
from millstream.rdd.statistics import Statistics

if TYPE_CHECKING:
    from random import Random

    from millstream.rdd.rdd import RDD

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Sampling(Statistics[T]):
    """``seed``: a random one if it is not given."""

    def sample(self, withReplacement: bool, fraction: float, seed: int | None = None) -> RDD[T]:
        """About ``fraction`` of the elements; with replacement, each ``fraction`` times on average."""
        if fraction < 0:
            raise PySparkValueError("Fraction must be nonnegative.")
        if withReplacement:
            return self._drawn(seed, lambda chance, row: repeat(row, _poisson(chance, fraction)))
        return self._drawn(seed, lambda chance, row: (row,) if chance.random() < fraction else ())

    def sampleByKey(
        self: Sampling[tuple[K, V]], withReplacement: bool, fractions: dict[K, float], seed: int | None = None
    ) -> RDD[tuple[K, V]]:
        """As `sample`, with a fraction for each key; `KeyError` for a key without one."""
        for fraction in fractions.values():
            assert fraction >= 0, f"Negative fraction value: {fraction}"
        if withReplacement:
            return self._drawn(seed, lambda chance, row: repeat(row, _poisson(chance, fractions[row[0]])))
        return self._drawn(seed, lambda chance, row: (row,) if chance.random() < fractions[row[0]] else ())

    def randomSplit(self, weights: list[float], seed: int | None = None) -> list[RDD[T]]:
        """The elements dealt at random into RDDs, by weight."""
        if any(weight < 0 for weight in weights) or not sum(weights) > 0:
            raise PySparkValueError(f"Weights must be nonnegative and their sum positive, not {weights}")
        shared = _seed(seed)
        bounds = list(accumulate((weight / sum(weights) for weight in weights), initial=0.0))
        return [self._between(low, high, shared) for low, high in pairwise(bounds)]

    def takeSample(self, withReplacement: bool, num: int, seed: int | None = None) -> list[T]:
        """``num`` elements at random, in a random order; without replacement at most all there are."""
        from random import Random

        if num < 0:
            raise PySparkValueError("Sample size cannot be negative.")
        total = self.count() if num else 0
        if not total:
            return []
        chance = Random(seed)
        if not withReplacement and num >= total:
            everything = self.collect()
            chance.shuffle(everything)
            return everything
        fraction = _fraction_for(num, total, withReplacement)
        sampled = self.sample(withReplacement, fraction, seed).collect()
        while len(sampled) < num:
            sampled = self.sample(withReplacement, fraction, chance.randint(0, sys.maxsize)).collect()
        chance.shuffle(sampled)
        return sampled[:num]

    def _between(self, low: float, high: float, seed: int) -> RDD[T]:
        return self._drawn(seed, lambda chance, row: (row,) if low <= chance.random() < high else ())

    def _drawn(self, seed: int | None, draw: Callable[[Random, T], Iterable[T]]) -> RDD[T]:
        shared = _seed(seed)

        def drawn(index: int, rows: Iterable[T]) -> Iterator[T]:
            from random import Random

            chance = Random(shared ^ index)
            # The first numbers of neighbouring seeds are alike.
            for _ in range(10):
                chance.randint(0, 1)
            for row in rows:
                yield from draw(chance, row)

        return self.mapPartitionsWithIndex(drawn)


def _seed(seed: int | None) -> int:
    from random import randint

    return randint(0, sys.maxsize) if seed is None else seed


def _poisson(chance: Random, mean: float) -> int:
    """A number of the Poisson distribution, by Knuth's algorithm; by sums of logarithms where its product would be too
    small."""
    times = 0
    if mean < 20.0:
        least, product = exp(-mean), chance.random()
        while product > least:
            times += 1
            product *= chance.random()
        return times
    total = chance.expovariate(mean)
    while total < 1.0:
        times += 1
        total += chance.expovariate(mean)
    return times


def _fraction_for(num: int, total: int, with_replacement: bool) -> float:
    """The fraction whose sample has ``num`` elements in all but one of 10,000 cases (Spark's `SamplingUtils`)."""
    fraction = num / total
    if with_replacement:
        deviations: Any = 9 if num < 12 else 5
        return float(fraction + deviations * sqrt(fraction / total))
    gamma = -log(0.00005) / total
    return min(1.0, fraction + gamma + sqrt(gamma * gamma + 2 * gamma * fraction))
