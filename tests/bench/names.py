"""Names of three regions for the invented people: well-known ones by how common they are, and a long tail of rare ones.

A fifth of the men are a Muhammad in one of its spellings, a seventh of the women a Siti; one word in 150 has a slip of the pen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, product

AT_ONCE = 4000
SLIP = 1 / 150
YOUNG = 35

MUHAMMAD = (
    ("Muhammad", 38),
    ("Muhamad", 14),
    ("Mohammad", 8),
    ("Mohamad", 6),
    ("Moh.", 10),
    ("Muh.", 16),
    ("M.", 5),
    ("Mochamad", 3),
)
SITI = (("Siti", 62), ("Sitti", 18), ("St.", 12), ("Sti", 8))

_ISLAMIC_MEN = [
    "Ahmad",
    "Abdul",
    "Abdullah",
    "Yusuf",
    "Ibrahim",
    "Rahman",
    "Rahmat",
    "Hidayat",
    "Ali",
    "Umar",
    "Hasan",
    "Husain",
    "Ridwan",
    "Hamzah",
    "Ismail",
    "Ilham",
    "Iqbal",
    "Fadli",
    "Fauzan",
    "Rizki",
    "Rizal",
    "Arif",
    "Amin",
    "Amir",
    "Anwar",
    "Basri",
    "Bakri",
    "Burhan",
    "Daud",
    "Fahri",
    "Firman",
    "Hakim",
    "Halim",
    "Hamid",
    "Hanafi",
    "Haris",
    "Hasyim",
    "Idris",
    "Ilyas",
    "Imran",
    "Iskandar",
    "Jafar",
    "Jamal",
    "Kamal",
    "Karim",
    "Latif",
    "Lukman",
    "Mahmud",
    "Malik",
    "Mansur",
    "Maulana",
    "Munir",
    "Mustafa",
    "Nasir",
    "Nur",
    "Rafli",
    "Rahim",
    "Ramadhan",
    "Rasyid",
    "Rauf",
    "Rusdi",
    "Sabir",
    "Said",
    "Salam",
    "Salim",
    "Samsul",
    "Sidik",
    "Sofyan",
    "Sulaiman",
    "Syahrul",
    "Syarif",
    "Tahir",
    "Taufik",
    "Usman",
    "Wahid",
    "Wahyu",
    "Yahya",
    "Yasin",
    "Yunus",
    "Zainal",
    "Zakaria",
    "Zulfikar",
    "Zulkarnaen",
    "Agus",
    "Andi",
    "Dedi",
    "Eko",
    "Hendra",
    "Indra",
    "Budi",
    "Bayu",
    "Dimas",
    "Fajar",
    "Galih",
    "Rudi",
    "Yudi",
    "Heri",
    "Dani",
    "Feri",
    "Asep",
]
_ISLAMIC_WOMEN = [
    "Aminah",
    "Aisyah",
    "Fatimah",
    "Khadijah",
    "Maryam",
    "Zainab",
    "Nurhayati",
    "Nuraini",
    "Rohani",
    "Halimah",
    "Hasanah",
    "Jamilah",
    "Juwairiyah",
    "Latifah",
    "Mardiana",
    "Marlina",
    "Maimunah",
    "Mutmainnah",
    "Nabila",
    "Nafisah",
    "Nurjannah",
    "Nurlaela",
    "Nurul",
    "Hikmah",
    "Rahmawati",
    "Ramlah",
    "Rosmini",
    "Rosdiana",
    "Rukmini",
    "Rabiah",
    "Sarah",
    "Salmah",
    "Salmiah",
    "Saodah",
    "Suryani",
    "Syamsiah",
    "Wahyuni",
    "Wati",
    "Yuliana",
    "Zahra",
    "Zubaedah",
    "Zulaikha",
    "Nur",
    "Sri",
    "Dewi",
    "Putri",
    "Ayu",
    "Fitri",
    "Indah",
    "Lestari",
    "Kartika",
    "Ratna",
    "Rina",
    "Rini",
    "Lina",
    "Lia",
    "Dian",
    "Eka",
    "Dwi",
    "Tri",
    "Ani",
    "Ana",
    "Yanti",
    "Yuni",
    "Yulia",
    "Wulan",
    "Mega",
    "Maya",
    "Melati",
    "Intan",
    "Hasnah",
    "Hartati",
    "Herlina",
    "Handayani",
    "Kasmawati",
    "Kurniasih",
    "Sumiati",
    "Suriani",
    "Jumriah",
    "Juliana",
    "Karlina",
    "Komariah",
    "Kholifah",
    "Masitoh",
    "Mulyani",
    "Munawaroh",
]
_YOUNG = [
    "Rafa",
    "Azka",
    "Alfi",
    "Arkan",
    "Fathan",
    "Keenan",
    "Raffa",
    "Zidan",
    "Zaki",
    "Daffa",
    "Dafa",
    "Farel",
    "Rehan",
    "Raihan",
    "Rayhan",
    "Reza",
    "Rizky",
    "Satria",
    "Putra",
    "Pratama",
    "Saputra",
    "Ramadhani",
    "Aditya",
    "Adit",
    "Akbar",
    "Aulia",
    "Alya",
    "Aqila",
    "Azzahra",
    "Callista",
    "Cinta",
    "Citra",
    "Febri",
    "Kayla",
    "Keysha",
    "Khansa",
    "Naila",
    "Nadia",
    "Nayla",
    "Najwa",
    "Naura",
    "Queen",
    "Raisa",
    "Salsabila",
    "Shafira",
    "Syifa",
    "Talita",
    "Tiara",
    "Vania",
    "Zalfa",
    "Zaskia",
    "Amalia",
    "Anggraini",
    "Maharani",
    "Permata",
    "Safitri",
]
_LOCAL = {
    "73.03": (
        "Baharuddin Syamsuddin Sirajuddin Kamaruddin Jamaluddin Saharuddin Amiruddin Alimuddin Najamuddin Mappiasse Mappatoba Sampara "
        "Ngalle Tompo Lallo Rumallang Sangkala Manai Baco Becce Bau Caya Dg. Daeng Karaeng Puang Tarring Sunggu Nompo Rani Bollo Tojeng "
        "Makkulau Patta Sattu Saing Sahabu Sodding Tayang Tallasa Tutu Ranrang Mangngai Hasanuddin Salahuddin Jufri Kahar Sudirman"
    ),
    "35.17": (
        "Sutrisno Suparno Suparman Supardi Sugeng Sugiyanto Suyanto Sukirno Slamet Sumarno Paimin Paijan Kasiyem Sulastri Sumarni "
        "Suwarni Sutinah Parmi Painem Ngatini Ngatmi Wagiyem Tukiyem Tumini Waginah Joko Bambang Wibowo Santoso Prasetyo Nugroho "
        "Setiawan Kurniawan Purnomo Hartono Widodo Utomo Susanto Mulyono Sudarsono Wijaya Rohman Khoirul Anam Khoiriyah Muhtarom"
    ),
    "32.01": (
        "Asep Ujang Dadang Cecep Encep Deden Dede Dudung Endang Engkos Entis Iwan Jajang Maman Mamat Nana Oman Rohmat Sarip Tatang "
        "Tedi Ujang Wawan Yayan Yayat Aceng Acep Edi Eti Euis Neneng Enok Entin Cucu Iis Imas Ipah Lilis Mimin Nining Nunung Oom "
        "Rohayati Rokayah Sopiah Sumarni Suhendar Suherman Sutisna Supriatna Permana Hermawan Gunawan Nugraha Sobari Sopandi Solihin"
    ),
}
_STEMS = [
    "su",
    "war",
    "har",
    "mul",
    "kus",
    "par",
    "sum",
    "wid",
    "dar",
    "sar",
    "tar",
    "ris",
    "mar",
    "kar",
    "sol",
    "mas",
    "rus",
    "jum",
    "nur",
    "hed",
    "yul",
    "ros",
    "sup",
    "sug",
    "wah",
    "sri",
    "mar",
    "tut",
    "ing",
    "kun",
    "rah",
    "sal",
    "kas",
    "bah",
    "jam",
    "naw",
    "faj",
    "zul",
    "has",
    "ham",
    "lat",
    "rat",
    "win",
    "ard",
    "her",
    "san",
    "yan",
    "tis",
    "kur",
    "pur",
    "sun",
    "nas",
    "mis",
    "sya",
    "fir",
    "lil",
    "nin",
    "mur",
    "siw",
    "gal",
]
_MIDDLES = ("", "i", "a", "ya", "di", "ni", "ma", "ti", "la", "ri", "sa", "ki")
_ENDS_MEN = [
    "anto",
    "adi",
    "ono",
    "oyo",
    "man",
    "din",
    "wan",
    "udin",
    "jo",
    "yadi",
    "nto",
    "wanto",
    "so",
    "rto",
    "min",
    "dar",
    "jan",
    "sno",
    "har",
    "mat",
]
_ENDS_WOMEN = [
    "ati",
    "yem",
    "ani",
    "wati",
    "ningsih",
    "nah",
    "sih",
    "rini",
    "yati",
    "ah",
    "mi",
    "tun",
    "iyah",
    "kem",
    "tin",
    "lah",
    "ita",
    "ina",
    "lastri",
]
_STREETS = (
    "Kartini Pahlawan Merdeka Mawar Melati Poros Pendidikan Masjid Mangga Sawo Kenanga Raya Pasar Veteran Diponegoro Sudirman"
)
_NICKNAMES = "Bau Baco Minah Amin Ical Udin Ipul Ujang Neng Asep Cacang Tati Titin Nining Iyan Andi Ayu Ima Uci Yuyun Aco Iccang"


@dataclass
class _Pool:
    """Names to draw from, the first ones most often."""

    names: Sequence[str]
    cumulative: list[float]

    @classmethod
    def ranked(cls, known: Sequence[str]) -> _Pool:
        """Each name by its place: the first two hundred are three quarters of all."""
        return cls(known, list(accumulate(1 / (place + 6) ** 1.3 for place in range(len(known)))))

    def draw(self, dice: random.Random, count: int) -> list[str]:
        return dice.choices(self.names, cum_weights=self.cumulative, k=count)


@dataclass
class Region:
    """How people are called there. Names are drawn thousands at once, for speed."""

    men: _Pool
    women: _Pool
    young: _Pool
    streets: Sequence[str]
    nicknames: Sequence[str]
    waiting: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    # Words of names as they are searched, each worked out once.
    spelled: dict[str, str] = field(default_factory=dict)

    def name(self, dice: random.Random, sex: str, age: int) -> str:
        """The next full name for somebody of that sex and age."""
        kind = (sex, age < YOUNG)
        waiting = self.waiting.get(kind)
        if not waiting:
            waiting = self.waiting[kind] = list(self._drawn(dice, *kind))
        return waiting.pop()

    def _drawn(self, dice: random.Random, sex: str, young: bool) -> Iterator[str]:
        own = self.men if sex == "L" else self.women
        first, second, third = (own.draw(dice, AT_ONCE) for _ in range(3))
        late = self.young.draw(dice, AT_ONCE)
        lengths = dice.choices((1, 2, 3, 4), (4, 50, 36, 10) if young else (24, 54, 19, 3), k=AT_ONCE)
        common, share = (MUHAMMAD, 0.20) if sex == "L" else (SITI, 0.14)
        spellings = dice.choices([name for name, _ in common], [weight for _, weight in common], k=AT_ONCE)
        for place, length in enumerate(lengths):
            name = [first[place], late[place] if young else second[place], second[place] if young else third[place], third[place]]
            common_first = dice.random() < share
            words = max(2, length) if common_first else length
            whole = " ".join([spellings[place], *name][:words] if common_first else name[:words])
            yield slipped(dice, whole) if dice.random() < SLIP * words else whole


def slipped(dice: random.Random, name: str) -> str:
    """The name with one letter lost, doubled, swapped or mistaken."""
    place = dice.randrange(1, max(2, len(name) - 1))
    before, here, after = name[:place], name[place : place + 1], name[place + 1 :]
    match dice.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + here + here + after
        case 2:
            return before + after[:1] + here + after[1:]
        case _:
            return before + dice.choice("aeiounrst") + after


def _region(district: str) -> Region:
    dice = random.Random(f"names of {district}")  # noqa: S311
    local = _LOCAL[district].split()

    def tail(ends: Sequence[str], count: int) -> list[str]:
        made = ["".join(parts).capitalize() for parts in product(_STEMS, _MIDDLES, ends)]
        dice.shuffle(made)
        return made[:count]

    def mixed(known: list[str], ends: Sequence[str]) -> _Pool:
        head = [*known, *local]
        dice.shuffle(head)
        return _Pool.ranked([*head, *tail(ends, 9000)])

    return Region(
        men=mixed(_ISLAMIC_MEN, _ENDS_MEN),
        women=mixed(_ISLAMIC_WOMEN, _ENDS_WOMEN),
        young=_Pool.ranked([*_YOUNG, *tail(_ENDS_MEN + _ENDS_WOMEN, 4000)]),
        streets=_STREETS.split(),
        nicknames=_NICKNAMES.split(),
    )


REGIONS = {district: _region(district) for district in _LOCAL}
