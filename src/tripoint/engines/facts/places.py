"""Where is a place: its country, whose law reaches it, and its geography.

Assumes ISO 3166 alpha-2 codes. The geography of a country comes from the catalogue's regions, else from the
continent lists below (UN M49 regions, the Middle East kept apart as price lists do).
"""

from __future__ import annotations

from tripoint.domain.catalog import Catalog, RegionRow
from tripoint.domain.site import Site

NORDICS = frozenset({"DK", "FI", "IS", "NO", "SE"})

_COUNTRIES_BY_GEO = {
    "NA": "US CA MX GL BM PM",
    "EU": (
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU "
        "LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA UK VA XK"
    ),
    "APAC": (
        "AF AS AU BD BN BT CC CK CN CX FJ FM GU HK ID IN JP KG KH KI KP KR KZ LA LK MH MM MN MO MP MV MY "
        "NC NF NP NR NU NZ PF PG PH PK PN PW SB SG TH TJ TK TL TM TO TV TW UZ VN VU WF WS"
    ),
    "LATAM": (
        "AG AI AR AW BB BL BO BQ BR BS BZ CL CO CR CU CW DM DO EC FK GD GF GP GT GY HN HT JM KN KY LC MF "
        "MQ MS NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI"
    ),
    "ME": "AE AM AZ BH GE IL IQ IR JO KW LB OM PS QA SA SY TR YE",
    "AF": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR "
        "MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"
    ),
}


def provider_of(site: Site) -> str:
    """The provider as the catalogues spell it."""
    return site.provider.strip().lower()


def region_row(catalog: Catalog, provider: str, region: str | None) -> RegionRow | None:
    """The catalogue's row of a provider's region."""
    if region is None:
        return None
    wanted = (provider.strip().lower(), region.strip().lower())
    return next((row for row in catalog.regions if (row.provider.lower(), row.region.lower()) == wanted), None)


def country_of(site: Site, catalog: Catalog) -> str | None:
    """Country of a site: as declared, else the region's; `None` when neither says."""
    if site.country:
        return site.country.upper()
    row = region_row(catalog, site.provider, site.region)
    return row.country if row else None


def jurisdiction_of(site: Site, catalog: Catalog) -> str | None:
    """Country whose law reaches the operator: as declared, else the site's country."""
    return site.jurisdiction.upper() if site.jurisdiction else country_of(site, catalog)


def geo_of(place: Site | str, catalog: Catalog) -> str:
    """`NA`, `EU`, `APAC`, `LATAM`, `ME` or `AF` of a site, `provider:region` or country; else empty."""
    if isinstance(place, Site):
        row = region_row(catalog, place.provider, place.region)
        return row.geo if row else _geo_of_country(country_of(place, catalog), catalog)
    provider, _, region = place.partition(":")
    if region:
        row = region_row(catalog, provider, region)
        return row.geo if row else ""
    return _geo_of_country(place, catalog)


def expand_countries(names: tuple[str, ...], catalog: Catalog) -> frozenset[str]:
    """Countries that `names` (alpha-2 codes or country sets) stand for; a name that is neither adds none."""
    members = {entry.name.lower(): entry.members for entry in catalog.country_sets}
    countries: set[str] = set()
    for name in names:
        alone = (name.upper(),) if len(name) == 2 else ()
        countries.update(members.get(name.lower(), alone))
    return frozenset(countries)


def _geo_of_country(country: str | None, catalog: Catalog) -> str:
    if not country:
        return ""
    code = country.upper()
    known = next((row.geo for row in catalog.regions if row.country == code), None)
    if known:
        return known
    return next((geo for geo, codes in _COUNTRIES_BY_GEO.items() if code in codes.split()), "")
