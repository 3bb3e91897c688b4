"""The population sheet of OpenSID: 43 columns in a fixed order, codes or words, and `###` behind the last row."""

from __future__ import annotations

from appliance.exchange.formats import people
from appliance.exchange.formats.fields import Layout

COLUMNS = (
    *(
        "alamat",
        "dusun",
        "rw",
        "rt",
        "nama",
        "no_kk",
        "nik",
        "sex",
        "tempatlahir",
        "tanggallahir",
        "agama_id",
        "pendidikan_kk_id",
    ),
    *("pendidikan_sedang_id", "pekerjaan_id", "status_kawin", "kk_level", "warganegara_id", "ayah_nik", "nama_ayah", "ibu_nik"),
    *(
        "nama_ibu",
        "golongan_darah_id",
        "akta_lahir",
        "dokumen_pasport",
        "tanggal_akhir_paspor",
        "dokumen_kitas",
        "akta_perkawinan",
    ),
    *("tanggalperkawinan", "akta_perceraian", "tanggalperceraian", "cacat_id", "cara_kb_id", "hamil", "ktp_el", "status_rekam"),
    *("alamat_sekarang", "status_dasar", "suku", "tag_id_card", "id_asuransi", "no_asuransi", "lat", "lng"),
)

OPENSID = Layout(
    key="opensid",
    name="OpenSID: data penduduk",
    fields=(*people.RESIDENT, *people.HEALTH),
    marks=("nama", "nokk", "nik", "sex", "tanggallahir", "kklevel", "agamaid"),
    ends_at="###",
)
