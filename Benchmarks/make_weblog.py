#!/usr/bin/env python3
"""Make a web-log table with the 105 columns of ClickBench's hits, skewed as real traffic is.

usage: make_weblog.py ROWS OUTFILE.parquet [--row-group 500000] [--seed 1]
needs: pip install numpy pyarrow

All values are synthetic. Counters, pages, users and search phrases follow Zipf laws; a user's region, address, browser and
screen stay with the user; most search phrases, phone models and campaign fields are empty; time runs over July 2013 with a
daily curve. Rows are ordered by CounterID, EventDate, UserID, EventTime, as a table with that primary key would store them.
Snappy, dictionary encoding, timestamps in microseconds, dates as date32.
"""
import argparse, os, sys, time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

I8, I16, I32, I64, S = pa.int16(), pa.int16(), pa.int32(), pa.int64(), pa.string()
TS, DAY = pa.timestamp('us'), pa.date32()
COLUMNS = [('WatchID', I64), ('JavaEnable', I16), ('Title', S), ('GoodEvent', I16), ('EventTime', TS), ('EventDate', DAY), ('CounterID', I32),
           ('ClientIP', I32), ('RegionID', I32), ('UserID', I64), ('CounterClass', I16), ('OS', I16), ('UserAgent', I16), ('URL', S), ('Referer', S),
           ('IsRefresh', I16), ('RefererCategoryID', I16), ('RefererRegionID', I32), ('URLCategoryID', I16), ('URLRegionID', I32),
           ('ResolutionWidth', I16), ('ResolutionHeight', I16), ('ResolutionDepth', I16), ('FlashMajor', I16), ('FlashMinor', I16),
           ('FlashMinor2', S), ('NetMajor', I16), ('NetMinor', I16), ('UserAgentMajor', I16), ('UserAgentMinor', S), ('CookieEnable', I16),
           ('JavascriptEnable', I16), ('IsMobile', I16), ('MobilePhone', I16), ('MobilePhoneModel', S), ('Params', S), ('IPNetworkID', I32),
           ('TraficSourceID', I16), ('SearchEngineID', I16), ('SearchPhrase', S), ('AdvEngineID', I16), ('IsArtifical', I16),
           ('WindowClientWidth', I16), ('WindowClientHeight', I16), ('ClientTimeZone', I16), ('ClientEventTime', TS),
           ('SilverlightVersion1', I16), ('SilverlightVersion2', I16), ('SilverlightVersion3', I32), ('SilverlightVersion4', I16),
           ('PageCharset', S), ('CodeVersion', I32), ('IsLink', I16), ('IsDownload', I16), ('IsNotBounce', I16), ('FUniqID', I64),
           ('OriginalURL', S), ('HID', I32), ('IsOldCounter', I16), ('IsEvent', I16), ('IsParameter', I16), ('DontCountHits', I16),
           ('WithHash', I16), ('HitColor', S), ('LocalEventTime', TS), ('Age', I16), ('Sex', I16), ('Income', I16), ('Interests', I16),
           ('Robotness', I16), ('RemoteIP', I32), ('WindowName', I32), ('OpenerName', I32), ('HistoryLength', I16), ('BrowserLanguage', S),
           ('BrowserCountry', S), ('SocialNetwork', S), ('SocialAction', S), ('HTTPError', I16), ('SendTiming', I32), ('DNSTiming', I32),
           ('ConnectTiming', I32), ('ResponseStartTiming', I32), ('ResponseEndTiming', I32), ('FetchTiming', I32), ('SocialSourceNetworkID', I16),
           ('SocialSourcePage', S), ('ParamPrice', I64), ('ParamOrderID', S), ('ParamCurrency', S), ('ParamCurrencyID', I16),
           ('OpenstatServiceName', S), ('OpenstatCampaignID', S), ('OpenstatAdID', S), ('OpenstatSourceID', S), ('UTMSource', S), ('UTMMedium', S),
           ('UTMCampaign', S), ('UTMContent', S), ('UTMTerm', S), ('FromTag', S), ('HasGCLID', I16), ('RefererHash', I64), ('URLHash', I64), ('CLID', I32)]
SCHEMA = pa.schema(COLUMNS)

LATIN = 'auto news sport kino music foto market forum blog game mail map shop film home travel radio book job video weather bank house car phone doctor school recipe ticket hotel'.split()
CYRILLIC = 'купить скачать бесплатно онлайн смотреть погода москва новости квартира работа фильм музыка игры рецепт отзывы цена телефон машина детский женский расписание карта санкт петербург область сезон серия хорошем качестве ремонт недорого'.split()
ENGINES = [(2, 'yandex.ru/yandsearch?text='), (3, 'www.google.ru/search?q='), (4, 'go.mail.ru/search?q='), (13, 'nova.rambler.ru/search?query='), (28, 'www.bing.com/search?q=')]
PHONES = ['iPad', 'iPhone', 'GT-I9300', 'GT-P5100', 'Lumia 920', 'Nexus 7', 'HTC One', 'GT-N7100', 'Desire S', 'Xperia Z', 'A700', 'MediaPad', 'N9', 'C6', 'IdeaTab']


def mix(x):
    """A 64-bit mix of an unsigned array (splitmix64's finisher)."""
    x = np.asarray(x).astype(np.uint64)
    with np.errstate(over='ignore'):
        x = (x + np.uint64(0x9E3779B97F4A7C15)); x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def mix1(x):
    """mix of one Python integer."""
    m = 0xFFFFFFFFFFFFFFFF
    x = (x + 0x9E3779B97F4A7C15) & m; x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & m; x = (x ^ (x >> 27)) * 0x94D049BB133111EB & m
    return x ^ (x >> 31)


def signed(x): return x.view(np.int64)


def zipf(rng, n, size, a):
    """Ranks 0..size-1 by a bounded power law, by the inverse of its continuous distribution."""
    u = rng.random(n)
    if abs(a - 1) < 1e-9: r = np.exp(u * np.log(size + 1.0))
    else: r = ((u * ((size + 1.0) ** (1 - a) - 1)) + 1) ** (1 / (1 - a))
    return np.minimum(r.astype(np.int64) - 1, size - 1).clip(0)


def strings(ids, make):
    """A string array from ids: each distinct id is made once."""
    unique, inverse = np.unique(ids, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(inverse.astype(np.int32)), pa.array([make(int(u)) for u in unique], S)).dictionary_decode()


def pick(h, values, weights=None):
    """Values chosen by a hash, with weights."""
    values = np.asarray(values)
    if weights is None: return values[(h % np.uint64(len(values))).astype(np.int64)]
    edges = np.cumsum(weights) / np.sum(weights)
    return values[np.minimum(np.searchsorted(edges, (h >> np.uint64(11)).astype(np.float64) / 2.0 ** 53, side='right'), len(values) - 1)]


def phrase(i):
    if i < 0: return ''
    h = mix1(i * 2654435761 + 17); words = []
    for k in range(1 + h % 5):
        h, w = divmod(h >> 3, 61)
        words.append((CYRILLIC + LATIN)[w] if w < 61 else str(h % 1000))
    return ' '.join(words) + ('' if i < 40 else f' {i % 977}' if i % 3 == 0 else '')


def site(c): return f"{LATIN[c % 30]}{'-' + LATIN[c // 30 % 30] if c >= 30 else ''}{c // 900 if c >= 900 else ''}.{['ru', 'com', 'ru', 'net', 'org', 'su'][c % 6]}"


def url(key):
    if key < 0: return ''
    c, p = key >> 32, key & 0xFFFFFFFF
    h = mix1(key)
    s = ('https' if h % 29 == 0 else 'http') + '://' + ('www.' if h % 3 == 0 else '') + site(c) + '/'
    if p: s += f'{LATIN[h % 30]}/{LATIN[h // 7 % 30]}-{LATIN[h // 70 % 30]}/{LATIN[h // 30 % 30]}-{p % 9973}' + ['/', '.html', f'.php?id={p}&sort={h % 7}', f'/page{h % 90}/?from={LATIN[h // 900 % 30]}&rnd={h % 1000003}', f'#hash-{h % 100}', f'/search/{h % 3333}?q={LATIN[h // 7 % 30]}%20{LATIN[h // 77 % 30]}'][h // 11 % 6]
    return s


def title(key):
    if key < 0: return ''
    c, p = key >> 32, key & 0xFFFFFFFF
    h = mix1(key ^ 0x55)
    if h % 17 == 0: return ''
    words = [CYRILLIC[(h >> (5 * k)) % 31] for k in range(2 + h % 6)] if c % 6 != 1 else [LATIN[(h >> (5 * k)) % 30] for k in range(2 + h % 6)]
    return ' '.join(words).capitalize() + (f' {p % 9973}' if h % 4 == 0 else '') + (' - ' if h % 2 else ' | ') + site(c)


def chunk(rng, counter_rank, counter_id, users, phrases):
    n = len(counter_rank)
    share = lambda w: np.array(w) / np.sum(w)
    day = rng.choice(31, n, p=share([1.0, 1, 1, 1, .95, .8, .75] * 4 + [1, 1, 1]))
    hour = rng.choice(24, n, p=share([3, 2, 1.5, 1, 1, 1.2, 2, 3, 4.5, 5.5, 6, 6, 6, 6, 6, 6, 6, 5.8, 5.6, 5.6, 5.6, 5.5, 5, 4]))
    second = hour * 3600 + rng.integers(0, 3600, n)
    # A user visits few counters: the user's number is drawn by a power law within a window that belongs to the counter.
    user = np.where(rng.random(n) < .7, (mix(counter_rank * 77 + 5) % np.uint64(users)).astype(np.int64) + zipf(rng, n, max(users // 8, 50), .75), zipf(rng, n, users, .55)) % users
    order = np.lexsort((second, user, day, counter_rank))
    counter_rank, counter_id, day, second, user = counter_rank[order], counter_id[order], day[order], second[order], user[order]
    uh = mix(user * 1000003 + 11); u2 = mix(uh); u3 = mix(u2); u4 = mix(u3); u5 = mix(u4)
    rh = mix(rng.integers(0, 2 ** 62, n)); r2 = mix(rh); r3 = mix(r2); r4 = mix(r3)
    at = (np.int64(1372636800) + day * 86400 + second)
    size = np.maximum(60, 24000 // (1 + counter_rank))      # a smaller site has fewer pages
    page = zipf(rng, n, size, .85)
    page = np.where(rng.random(n) < .1, size + rng.integers(0, size * 8), page)
    key = (counter_rank << 32) | page
    searched = rng.random(n) < .13
    ph = np.where(searched, zipf(rng, n, phrases, .85), -1)
    engine = np.where(searched, pick(r2, [e[0] for e in ENGINES], [60, 25, 8, 4, 3]), np.where(rng.random(n) < .04, 2, 0))
    direct = rng.random(n) < .28
    ref_page = zipf(rng, n, size, .95)
    ref_key = np.where(searched, -2 - (ph * 8 + np.searchsorted([2, 3, 4, 13, 28], engine)), np.where(direct, -1, np.where(rng.random(n) < .8, (counter_rank << 32) | ref_page, (zipf(rng, n, 6000, 1.0) << 32) | (ref_page % 7))))

    def referer(k):
        if k < -1:
            p, e = divmod(-2 - k, 8)
            return 'http://' + ENGINES[min(e, 4)][1] + phrase(p).replace(' ', '+')
        return url(k)
    mobile = pick(u3, [0, 1], [93, 7])
    zero16 = np.zeros(n, np.int16); empty = np.full(n, '', object)
    rare = lambda p, f: np.where(rng.random(n) < p, f, 0)
    net = (mix(user // 3 + 99) & np.uint64(0x7FFFFFFF)).astype(np.int64)
    ip = (u4 & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32)
    region = np.array([229, 2, 208, 169, 32, 34, 184, 42, 107, 51])
    region = np.where(uh % np.uint64(100) < 55, pick(u2, region, [30, 18, 9, 6, 5, 4, 4, 3, 3, 2]), (u2 % np.uint64(8000)).astype(np.int64) + 1)
    width = pick(u5, [1366, 1920, 1280, 1024, 1440, 1600, 768, 320, 1680, 0], [24, 19, 15, 9, 6, 5, 3, 3, 3, 2]); height = pick(u5, [768, 1080, 1024, 768, 900, 900, 1024, 480, 1050, 0], [24, 19, 15, 9, 6, 5, 3, 3, 3, 2])
    adv = rare(.006, pick(r3, [2, 27, 13, 45, 44, 3, 62], [40, 25, 12, 8, 7, 5, 3]))
    utm = rng.random(n) < .015
    words = lambda mask, choices, h: strings(np.where(mask, (h % np.uint64(len(choices))).astype(np.int64), -1), lambda i: choices[i] if i >= 0 else '')
    timing = lambda p, scale: np.where(rng.random(n) < p, rng.exponential(scale, n).astype(np.int64), 0)
    uh_url = signed(mix(key + 3)); uh_ref = np.where(ref_key == -1, np.int64(-296158784638538920), signed(mix(np.where(ref_key < 0, ref_key & 0x7FFFFFFFFFFFFFFF, ref_key) + 3)))
    ph_id = ph
    v = {
        'WatchID': (4611686018427387904 + (rh >> np.uint64(2))).astype(np.int64), 'JavaEnable': pick(u2, [1, 0], [70, 30]), 'Title': strings(key, title),
        'GoodEvent': np.ones(n), 'EventTime': at * 1000000, 'EventDate': 15887 + day, 'CounterID': counter_id, 'ClientIP': ip, 'RegionID': region,
        'UserID': signed(mix(user + 31337) >> np.uint64(1)), 'CounterClass': pick(mix(counter_rank), [0, 1, -1], [70, 25, 5]), 'OS': pick(uh, [44, 2, 5, 10, 0, 64, 113, 101, 9, 38], [45, 20, 9, 7, 5, 4, 4, 3, 2, 1]),
        'UserAgent': pick(u4, [5, 3, 4, 2, 82, 7, 44, 70, 0, 57], [30, 24, 16, 10, 5, 5, 4, 3, 2, 1]), 'URL': strings(key, url), 'Referer': strings(ref_key, referer), 'IsRefresh': pick(r2, [0, 1], [88, 12]),
        'RefererCategoryID': np.where(searched, pick(mix(ph_id & 0x7FFFFFFF), [0, 10813, 9140, 12122, 15, 8], [70, 9, 8, 6, 4, 3]), 0), 'RefererRegionID': np.where(ref_key == -1, 0, (mix(np.abs(ref_key)) % np.uint64(900)).astype(np.int64)), 'URLCategoryID': pick(mix(counter_rank + 7), [0, 9911, 15664, 11, 20, 24], [60, 12, 10, 8, 6, 4]),
        'URLRegionID': (mix(counter_rank + 1) % np.uint64(300)).astype(np.int64), 'ResolutionWidth': width, 'ResolutionHeight': height, 'ResolutionDepth': pick(u3, [32, 24, 16, 0], [60, 36, 2, 2]), 'FlashMajor': pick(u2, [11, 10, 0, 9], [78, 9, 11, 2]), 'FlashMinor': pick(u3, [7, 8, 6, 3, 0, 2], [40, 25, 12, 9, 11, 3]),
        'FlashMinor2': words(u2 % np.uint64(9) > 0, ['700', '800', '602', '300', '224', '202', '775', '94', '169'], u4), 'NetMajor': pick(u5, [0, 4, 3, 2], [55, 25, 15, 5]), 'NetMinor': pick(u2, [0, 5, 1], [85, 10, 5]), 'UserAgentMajor': pick(u4, [27, 28, 21, 12, 10, 9, 5, 8, 22, 0], [22, 20, 16, 12, 8, 7, 5, 4, 4, 2]),
        'UserAgentMinor': words(u4 % np.uint64(4) > 0, ['0', '1', '15', '5', '16', '2', '3D', 'nA', '9', 'DE'], u5), 'CookieEnable': pick(u3, [1, 0], [98, 2]), 'JavascriptEnable': pick(u4, [1, 0], [97, 3]), 'IsMobile': mobile, 'MobilePhone': np.where(mobile == 1, pick(u5, [1, 2, 5, 6, 7, 10, 12, 27, 0], [30, 20, 12, 10, 9, 7, 5, 4, 3]), 0),
        'MobilePhoneModel': strings(np.where(mobile == 1, zipf(rng, n, 1, 1) * 0 + (u2 % np.uint64(160)).astype(np.int64) ** 2 // 160, -1), lambda i: '' if i < 0 else PHONES[i] if i < 15 else f'{PHONES[i % 15]} {i}'), 'Params': words(rng.random(n) < .01, ['{"a":1}', 'ya_tr=1', '{"user":"anon"}'], r3), 'IPNetworkID': net % 4000000,
        'TraficSourceID': np.where(searched, 2, np.where(direct, 0, pick(r4, [1, -1, 3, 4, 6, 7], [60, 20, 8, 5, 4, 3]))), 'SearchEngineID': engine, 'SearchPhrase': strings(ph, phrase), 'AdvEngineID': adv, 'IsArtifical': rare(.02, 1), 'WindowClientWidth': np.maximum(width - pick(r3, [0, 17, 46, 320], [40, 30, 20, 10]), 0), 'WindowClientHeight': np.maximum(height - pick(r4, [140, 180, 220, 96], [40, 30, 20, 10]), 0),
        'ClientTimeZone': pick(u2, [-1, 240, 180, 300, 360, 120, 420], [5, 60, 12, 9, 7, 4, 3]), 'ClientEventTime': (at + rng.integers(-4000, 4000, n)) * 1000000, 'SilverlightVersion1': pick(u3, [0, 5, 4], [55, 43, 2]), 'SilverlightVersion2': pick(u3, [0, 1], [60, 40]), 'SilverlightVersion3': pick(u4, [0, 20513, 10411, 20125], [57, 30, 10, 3]), 'SilverlightVersion4': zero16,
        'PageCharset': words(r2 % np.uint64(50) > 0, ['windows-1251', 'utf-8', 'utf-8', 'windows', 'koi8-r'], mix(counter_rank + 5)), 'CodeVersion': pick(mix(counter_rank + 9), [7, 1601, 1423, 3, 0, 208], [30, 30, 15, 12, 8, 5]), 'IsLink': rare(.045, 1), 'IsDownload': rare(.004, 1), 'IsNotBounce': rare(.03, 1), 'FUniqID': np.where(uh % np.uint64(5) > 0, signed(mix(user + 4242) >> np.uint64(1)), 0),
        'OriginalURL': strings(np.where(rng.random(n) < .03, key, -1), url), 'HID': (r3 & np.uint64(0x3FFFFFFF)).astype(np.int64), 'IsOldCounter': rare(.01, 1), 'IsEvent': rare(.02, 1), 'IsParameter': rare(.01, 1), 'DontCountHits': rare(.08, 1), 'WithHash': rare(.03, 1), 'HitColor': words(np.ones(n, bool), ['D', '5', 'E', 'g', '\x01'], u5 if n else u5), 'LocalEventTime': (at + np.int64(14400)) * 1000000,
        'Age': pick(uh, [0, 16, 22, 31, 39, 55, 50], [38, 6, 18, 20, 9, 5, 4]), 'Sex': pick(u2, [0, 1, 2], [38, 32, 30]), 'Income': pick(u3, [0, 1, 2, 3], [40, 15, 30, 15]), 'Interests': np.where(uh % np.uint64(5) < 2, 0, (u5 % np.uint64(32767)).astype(np.int64)), 'Robotness': rare(.02, pick(r2, [1, 2, 18, 13])), 'RemoteIP': mix(user // 2 + 1234).astype(np.uint32).view(np.int32), 'WindowName': rare(.3, (r4 & np.uint64(0x3FFF)).astype(np.int64)), 'OpenerName': rare(.2, (r4 & np.uint64(0x3FFF)).astype(np.int64)),
        'HistoryLength': np.where(rng.random(n) < .1, -1, zipf(rng, n, 50, 1.3)), 'BrowserLanguage': words(uh % np.uint64(30) > 0, ['ru', 'ru', 'ru', 'S0', 'en', 'uk'], u3), 'BrowserCountry': words(uh % np.uint64(25) > 0, ['RU', 'RU', '\x0c', 'US', 'UA', 'KZ'], u4), 'SocialNetwork': words(rng.random(n) < .002, ['vkontakte', 'twitter', 'facebook'], r2), 'SocialAction': words(rng.random(n) < .002, ['like', 'share', 'tweet'], r3),
        'HTTPError': rare(.003, pick(r2, [404, 500, 403])), 'SendTiming': timing(.25, 30), 'DNSTiming': timing(.2, 60), 'ConnectTiming': timing(.25, 90), 'ResponseStartTiming': timing(.3, 350), 'ResponseEndTiming': timing(.3, 500), 'FetchTiming': timing(.3, 700), 'SocialSourceNetworkID': rare(.05, pick(r4, [1, 2, 3, 5, 8])), 'SocialSourcePage': words(rng.random(n) < .02, ['http://vk.com/feed', 'http://odnoklassniki.ru/', 'http://vk.com/club' + '1234'], r2),
        'ParamPrice': rare(.005, (r2 % np.uint64(90000)).astype(np.int64)), 'ParamOrderID': strings(np.where(rng.random(n) < .005, (r3 % np.uint64(1000000)).astype(np.int64), -1), lambda i: '' if i < 0 else f'order-{i}'), 'ParamCurrency': words(np.ones(n, bool), ['NH\x1c', 'NH\x1c', 'RUB'], mix(counter_rank + 3)), 'ParamCurrencyID': pick(r3, [0, 1], [99, 1]),
        'OpenstatServiceName': words(rng.random(n) < .004, ['market', 'direct', 'begun'], r2), 'OpenstatCampaignID': strings(np.where(rng.random(n) < .004, (r2 % np.uint64(900)).astype(np.int64), -1), lambda i: '' if i < 0 else str(1000000 + i)), 'OpenstatAdID': words(rng.random(n) < .003, ['ad-1', 'ad-2', 'ad-3'], r4), 'OpenstatSourceID': words(rng.random(n) < .003, ['yandex', 'google'], r4),
        'UTMSource': words(utm, ['yandex', 'direct', 'google', 'mail', 'newsletter', 'vk'], r2), 'UTMMedium': words(utm, ['cpc', 'cpm', 'email', 'banner'], r3), 'UTMCampaign': strings(np.where(utm, (r4 % np.uint64(3000)).astype(np.int64), -1), lambda i: '' if i < 0 else f'campaign_{i}'), 'UTMContent': words(utm & (r3 % np.uint64(3) == 0), ['top', 'left', 'v1', 'v2'], r4), 'UTMTerm': strings(np.where(utm & (r2 % np.uint64(3) == 0), zipf(rng, n, 5000, .9), -1), phrase), 'FromTag': words(rng.random(n) < .01, ['rss', 'mail', 'partner', 'widget'], r4),
        'HasGCLID': rare(.01, 1), 'RefererHash': uh_ref, 'URLHash': uh_url, 'CLID': rare(.02, (r4 % np.uint64(80000)).astype(np.int64)),
    }
    arrays = []
    for name, t in COLUMNS:
        x = v[name]
        if isinstance(x, pa.Array): arrays.append(x)
        elif t == TS: arrays.append(pa.array(x.astype(np.int64)).cast(TS))
        elif t == DAY: arrays.append(pa.array(x.astype(np.int32)).cast(DAY))
        else: arrays.append(pa.array(x.astype(t.to_pandas_dtype())))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('rows', type=int); a.add_argument('out'); a.add_argument('--row-group', type=int, default=500000); a.add_argument('--seed', type=int, default=1)
    a = a.parse_args()
    rng = np.random.default_rng(a.seed)
    counters = 6500
    rank = zipf(rng, a.rows, counters, 1.0)
    ids = np.concatenate([np.array([62, 17, 205, 1312, 55]), 70 + np.random.default_rng(7).permutation(200000)[:counters - 5] * 2 + 1])
    order = np.argsort(ids[rank], kind='stable')
    rank = rank[order]
    users, phrases = max(a.rows // 5, 1000), max(a.rows // 15, 500)
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    t = time.time()
    with pq.ParquetWriter(a.out, SCHEMA, compression='snappy', use_dictionary=True) as w:
        for i, lo in enumerate(range(0, a.rows, a.row_group)):
            r = rank[lo:lo + a.row_group]
            w.write_table(chunk(np.random.default_rng([a.seed, i + 1]), r, ids[r], users, phrases), row_group_size=a.row_group)
            if sys.stderr.isatty() or lo + a.row_group >= a.rows: print(f'{min(lo + a.row_group, a.rows):,} of {a.rows:,} rows, {time.time() - t:.0f} s', file=sys.stderr)


if __name__ == '__main__': main()
