"""The node's own certificate authority and the web certificate it signs, for a network where nobody else vouches.

The authority may vouch only for office names and private addresses (name constraints), begins in 2010 so that a tablet with an
empty clock battery still connects, and its key lies encrypted in the identity folder, which is part of every backup: after a
restore the tablets go on trusting. Knows nothing of nginx or systemd.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

BEGINS = datetime(2010, 1, 1, tzinfo=UTC)
AUTHORITY_AGE = timedelta(days=20 * 365)
LEAF_AGE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=90)
OFFICE_DOMAINS = ("local", "lan", "home.arpa")
PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)


@dataclass(frozen=True)
class Authority:
    """The CA: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def locked_key(self, passphrase: str) -> bytes:
        """The key as encrypted PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )


@dataclass(frozen=True)
class Leaf:
    """The web certificate with its chain, and its key, both PEM."""

    chain: bytes
    key: bytes


def make_authority(hostname: str, at: datetime) -> Authority:
    """A new authority for the node `hostname`, that may vouch for nothing outside an office network."""
    key = ec.generate_private_key(ec.SECP256R1())
    digits = f"{x509.random_serial_number():x}"[:6]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SLRT {hostname} {digits}")])
    permitted = [x509.DNSName(text) for text in (hostname, *OFFICE_DOMAINS)] + [x509.IPAddress(net) for net in PRIVATE_NETWORKS]
    certificate = (
        _builder(name, name, key.public_key(), at + AUTHORITY_AGE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def open_authority(pem: bytes, locked_key: bytes, passphrase: str) -> Authority:
    """The authority from its two files. Raises ConfigurationError when the passphrase or the files do not fit."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(locked_key, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            "Kunci CA simpul ini tidak dapat dibuka dengan sandi cadangan yang sekarang.",
            "Pakai sandi cadangan (backup-passphrase) dari mesin asal cadangan, lalu ulangi.",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigurationError("Kunci CA dan sertifikat CA tidak sepasang.", "Pulihkan folder identity dari cadangan.")
    return Authority(certificate, key)


def names_of(hostname: str) -> tuple[str, ...]:
    """The names under which the office reaches the node, the one to print first."""
    return (f"{hostname}.local", hostname, f"{hostname}.lan", f"{hostname}.home.arpa")


def usable(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Those addresses that the authority may vouch for: private ones, in a stable order."""
    private = {
        a for a in addresses if any(a.version == net.version and a in net for net in PRIVATE_NETWORKS) and not a.is_loopback
    }
    return tuple(sorted(private, key=lambda address: (address.version, int(address))))


def issue(authority: Authority, hostname: str, addresses: Sequence[Address], at: datetime) -> Leaf:
    """A fresh web certificate for the node's names and its private addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(text) for text in names_of(hostname) if _permits(authority.certificate, text)]
    places = [x509.IPAddress(a) for a in (*usable(addresses), ipaddress.ip_address("127.0.0.1"))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names_of(hostname)[0])])
    ends = min(at + LEAF_AGE, authority.certificate.not_valid_after_utc)
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*names, *places]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Leaf(certificate.public_bytes(serialization.Encoding.PEM) + authority.pem, private)


def why_renew(authority_pem: bytes, leaf: Leaf | None, hostname: str, addresses: Sequence[Address], at: datetime) -> str:
    """Why the web certificate must be issued anew, as an Indonesian phrase; empty while it is good.

    Cases: none yet or unreadable; key and certificate no pair (a kill between the two files); signed by another authority;
    ends within 90 days; an address or a name is new. An address that went away is no reason: it may come back tomorrow.
    """
    try:
        authority = x509.load_pem_x509_certificate(authority_pem)
        certificate = x509.load_pem_x509_certificate(leaf.chain) if leaf else None
        key = serialization.load_pem_private_key(leaf.key, None) if leaf else None
    except (ValueError, TypeError):
        return "sertifikat yang ada rusak"
    if certificate is None or key is None:
        return "belum ada sertifikat"
    if key.public_key() != certificate.public_key():
        return "kunci dan sertifikat tidak sepasang"
    if not _signed_by(certificate, authority):
        return "CA simpul ini berganti"
    if certificate.not_valid_after_utc - at < RENEW_BEFORE:
        return f"berakhir {certificate.not_valid_after_utc:%d-%m-%Y}"
    return _missing_name(authority, certificate, hostname, addresses)


def _missing_name(authority: x509.Certificate, leaf: x509.Certificate, hostname: str, addresses: Sequence[Address]) -> str:
    san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covered = {*san.get_values_for_type(x509.DNSName), *(str(a) for a in san.get_values_for_type(x509.IPAddress))}
    wanted = [text for text in names_of(hostname) if _permits(authority, text)] + [str(a) for a in usable(addresses)]
    new = [text for text in wanted if text not in covered]
    return f"nama atau alamat baru: {', '.join(new)}" if new else ""


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as tablets show it: pairs of capital hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _signed_by(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001 - the library raises three unrelated kinds; each means "no"
        return False
    return True


def _permits(authority: x509.Certificate, name: str) -> bool:
    """Whether the authority's name constraints allow the host name `name`."""
    subtrees = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    domains = [tree.value for tree in subtrees if isinstance(tree, x509.DNSName)]
    return any(name == domain or name.endswith("." + domain) for domain in domains)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ends)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
