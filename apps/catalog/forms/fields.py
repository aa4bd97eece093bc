"""Fields that catalogue forms share."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset

SEPARATORS: Final = re.compile(r"[,，、;；\n]+")


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class WordsField(forms.CharField):
    """Several words in one line, separated as people separate them; a list without doubles."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.longest = longest

    def prepare_value(self, value: Any) -> Any:
        return "、".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        words = [word.strip() for word in SEPARATORS.split(super().to_python(value) or "")]
        return list(dict.fromkeys(word for word in words if word))

    def validate(self, value: Any) -> None:
        for word in value:
            if len(word) > self.longest:
                raise ValidationError(
                    _("“%(word)s”太长，每个不超过 %(longest)s 个字"),
                    params={"word": word[:20], "longest": self.longest},
                )

    def run_validators(self, value: Any) -> None:
        """The words are checked one by one above."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class CodesField(WordsField):
    """Other entries by their codes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=60, **kwargs)
        self.entries = Dataset.objects.none()

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        return "、".join(each.code if isinstance(each, Dataset) else str(each) for each in value)

    def clean(self, value: Any) -> list[Dataset]:
        codes = [code.replace("-", "/") for code in super().clean(value)]
        found = {entry.code: entry for entry in self.entries.filter(code__in=codes)}
        unknown = [code for code in codes if code not in found]
        if unknown:
            raise ValidationError(
                _("没有找到目录代码 %(codes)s"), params={"codes": "、".join(unknown)}
            )
        return [found[code] for code in codes]
