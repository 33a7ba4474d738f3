"""What the tests in a browser share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from selenium import webdriver

#: Where pictures of what was tested go. Those of the documentation are made by `make pictures`.
PICTURES = Path("target/pictures")


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    browser = chromium.start()
    yield browser
    browser.quit()
