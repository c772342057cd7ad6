"""Writes data/common_passwords.bin and, of Django's list alone, data/django_common_passwords.bin: the first 5 bytes of the
SHA-256 of each common password, sorted.

Sources, both by `pip install "django==5.2.*" zxcvbn`: Django's list (BSD) and zxcvbn's (MIT).
A password that is not in them is refused by chance once in about 20 million.
"""
import gzip, hashlib, pathlib
import django, zxcvbn.frequency_lists as lists

path = pathlib.Path(django.__file__).parent / "contrib/auth/common-passwords.txt.gz"
django_words = set(gzip.open(path, "rt", encoding="utf-8").read().split("\n"))
words = django_words | set(lists.FREQUENCY_LISTS["passwords"])


def write(name, words):
    words = {word.strip().lower() for word in words} - {""}
    hashes = sorted({hashlib.sha256(word.encode()).digest()[:5] for word in words})
    target = pathlib.Path(__file__).parent.parent / "data" / name
    target.write_bytes(b"".join(hashes))
    print(name, len(words), "passwords,", len(hashes) * 5, "bytes")


write("common_passwords.bin", words)
write("django_common_passwords.bin", django_words)
