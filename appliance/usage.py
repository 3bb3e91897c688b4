"""What was typed wrong at a terminal, in the operator's language. The library that reads the words of a command knows English only."""

from __future__ import annotations

import re

import click

# what it says → what is told; anything else is a sentence of ours already
TOLD: tuple[tuple[str, str], ...] = (
    (r"Got unexpected extra arguments? \((.*)\)", "Kata yang berlebih: {0}. Tulis isian yang berspasi di antara tanda kutip."),
    (r"Missing command\.", "Perintahnya belum disebutkan."),
    (r"No such command '(.*?)'\..*", "Perintah {0} tidak dikenal."),
    (r"No such option:? '?(-.*?)'?\.?(?: \(?(?:Did you mean|Possible).*)?", "Pilihan {0} tidak dikenal."),
    (r"Option '(.*)' requires (?:an argument|\d+ arguments)\.", "Pilihan {0} belum diisi."),
    (r"Option '(.*)' does not take a value\.", "Pilihan {0} tidak memakai isian."),
    (r"(?:File|Directory|Path) '(.*)' does not exist\.", "{0} tidak ada; periksa namanya, dan apakah disknya terpasang."),
    (r"(?:File|Directory|Path) '(.*)' is a file\.", "{0} adalah berkas; sebutkan sebuah folder."),
    (r"(?:File|Directory|Path) '(.*)' is a directory\.", "{0} adalah folder; sebutkan sebuah berkas."),
    (r"(?:File|Directory|Path) '(.*)' is not (?:readable|writable)\.", "{0} tidak boleh dibuka oleh Anda; ulangi dengan sudo."),
    (r"'(.*)' is not one of (.*)\.", "{0} tidak dikenal; pilih salah satu: {1}."),
    (r"'(.*)' is not a valid (?:integer|float)(?: range)?\.", "{0} bukan bilangan."),
    (r"'(.*)' is not a valid .*", "{0} tidak dapat dibaca."),
    (r"'(.*)' is not '(.*)'\.", "{0} tidak dikenal; yang dapat dipakai: {1}."),
    (r"(\S+) is not in the range (.*)\.", "{0} di luar batas {1}."),
)


def in_words(error: click.ClickException) -> tuple[str, str]:
    """What is wrong, and what to type next."""
    if isinstance(error, click.MissingParameter):
        text = f"Belum disebutkan: {_name(error) or 'isiannya'}."
    elif isinstance(error, click.BadParameter):
        text = ": ".join(filter(None, (_name(error), _told(error.message))))
    else:
        text = _told(error.format_message())
    context = error.ctx if isinstance(error, click.UsageError) else None
    asked = f"{context.command_path} --help" if context else "perintah yang sama dengan --help"
    return text, f"Lihat cara menulisnya: {asked}"


def _told(said: str) -> str:
    for pattern, words in TOLD:
        if found := re.fullmatch(pattern, said.strip(), re.DOTALL):
            return words.format(*(part.replace("'", "") for part in found.groups()))
    return said


def _name(error: click.BadParameter) -> str:
    """What stands on the command line for it, without the library's quotes."""
    hint = error.param_hint or (error.param.get_error_hint(error.ctx) if error.param and error.ctx else "")
    return (hint if isinstance(hint, str) else " / ".join(hint)).replace("'", "")


def show(error: click.ClickException) -> None:
    """Two lines on standard error, as for any other error. Who asked for nothing gets the help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    text, then = in_words(error)
    click.echo(f"Gagal: {text}\nLangkah berikutnya: {then}", err=True)
