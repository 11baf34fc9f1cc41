use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, ISO_8859_7, KOI8_R, SHIFT_JIS, WINDOWS_1251, WINDOWS_1254,
};

use super::*;

const KOREAN: &str = "<rss><title>한미 방위비 분담금 협상, 다음 달 재개</title></rss>";
const JAPANESE: &str = "<rss><title>在日米軍の駐留経費負担、協議始まる</title></rss>";

fn text(bytes: &[u8], content_type: Option<&str>) -> String {
    decode(bytes, content_type).text.into_owned()
}

#[test]
fn labels_and_their_aliases() {
    let korean = EUC_KR.encode(KOREAN).0.into_owned();
    for name in ["cp949", "MS949", "uhc", "ks_c_5601-1987", "EUC-KR", "KSC5601", "korean"] {
        assert_eq!(text(&korean, Some(&format!("text/xml; charset={name}"))), KOREAN, "{name}");
    }
    let japanese = SHIFT_JIS.encode(JAPANESE).0.into_owned();
    for name in ["cp932", "x-sjis", "Shift_JIS", "windows-31j", "MS_Kanji"] {
        assert_eq!(text(&japanese, Some(&format!("text/xml; Charset=\"{name}\""))), JAPANESE, "{name}");
    }
    let prolog = format!("<!-- long --><?xml version='1.0' encoding = 'cp949'?>{KOREAN}");
    assert_eq!(text(&EUC_KR.encode(&prolog).0, None), prolog);
}

#[test]
fn the_bytes_decide_between_labels() {
    let korean = EUC_KR.encode(KOREAN).0.into_owned();
    assert_eq!(
        text(&korean, Some("text/xml; charset=utf-8")),
        KOREAN,
        "a guess when the label is impossible"
    );
    let prolog = format!("<?xml version=\"1.0\" encoding=\"euc-jp\"?>{JAPANESE}");
    let bytes = EUC_JP.encode(&prolog).0.into_owned();
    assert_eq!(text(&bytes, Some("text/xml; charset=iso-8859-1")), prolog, "multi-byte beats single-byte");
    assert_eq!(text(&bytes, None), prolog);
    let decoded = decode(KOREAN.as_bytes(), Some("text/xml; charset=euc-kr"));
    assert_eq!((decoded.text.as_ref(), decoded.flaws.len()), (KOREAN, 1), "UTF-8 beats every label");
    let short = "<title>中文</title>";
    assert_eq!(text(&GB18030.encode(short).0, Some("text/xml;charset=gb2312")), short);
    assert_eq!(text(&BIG5.encode(short).0, Some("text/xml;charset=big5")), short);
    let russian = "<title>Военные расходы НАТО</title>";
    assert_eq!(text(&WINDOWS_1251.encode(russian).0, Some("text/xml; charset=windows-1251")), russian);
}

#[test]
fn jis_escapes_win_over_valid_utf8() {
    let bytes = b"<title>\x1b$B$\"\x1b(B</title>";
    assert_eq!(text(bytes, None), "<title>あ</title>");
}

#[test]
fn utf16_and_utf32_with_and_without_a_mark() {
    for little in [true, false] {
        for mark in ["\u{feff}", ""] {
            let doc = format!("{mark}{KOREAN}");
            let two: Vec<u8> = doc
                .encode_utf16()
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect();
            assert_eq!(text(&two, Some("text/xml; charset=utf-8")), KOREAN);
            let four: Vec<u8> = doc
                .chars()
                .flat_map(
                    |char| if little { u32::from(char).to_le_bytes() } else { u32::from(char).to_be_bytes() },
                )
                .collect();
            assert_eq!(text(&four, None), KOREAN);
        }
    }
}

#[test]
fn only_the_stray_bytes_are_patched() {
    let mut bytes = KOREAN.as_bytes().to_vec();
    bytes.insert(12, 0x93);
    let decoded = decode(&bytes, Some("text/xml; charset=utf-8"));
    assert_eq!(decoded.text, KOREAN.replacen("<rss><title>", "<rss><title>“", 1));
    assert_eq!(decoded.flaws.first().map(|flaw| flaw.kind), Some("stray-bytes"));
    assert_eq!(text(b"<title>caf\xe9 \x93ok\x94</title>", None), "<title>café “ok”</title>");
}

#[test]
fn any_bytes_decode() {
    for bytes in [
        &b""[..],
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xff\xfe\0\0\0",
        b"\x80",
        b"\x1b$B",
        b"a\0\0\0b\0\0\0\xff\xff\xff\xff",
    ] {
        let _ = decode(bytes, Some("; charset="));
    }
}

/// What servers say when nobody told them.
const DEFAULTS: [&str; 3] =
    ["text/xml; charset=ISO-8859-1", "text/xml; charset=us-ascii", "text/xml;charset=windows-1252"];

#[test]
fn a_servers_default_does_not_garble_multi_byte_text() {
    let chinese = "<rss><title>美日磋商驻军费用分担</title><description>双方同意增加</description></rss>";
    for (doc, encoding) in [(KOREAN, EUC_KR), (JAPANESE, SHIFT_JIS), (JAPANESE, EUC_JP), (chinese, GBK)] {
        for prolog in ["", "<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"] {
            let doc = format!("{prolog}{doc}");
            let bytes = encoding.encode(&doc).0.into_owned();
            for header in DEFAULTS {
                let decoded = decode(&bytes, Some(header));
                assert_eq!(decoded.text, doc, "{} as {header}", encoding.name());
                assert_eq!(decoded.flaws.first().map(|flaw| flaw.kind), Some("wrong-charset"));
            }
        }
    }
}

#[test]
fn a_documents_own_label_outranks_a_servers_default() {
    let texts = [
        ("Военные расходы НАТО выросли", WINDOWS_1251),
        ("Военные расходы НАТО выросли", KOI8_R),
        ("Οι δαπάνες του ΝΑΤΟ", ISO_8859_7),
        ("Savunma harcamaları yükseldi, İstanbul", WINDOWS_1254),
    ];
    for (title, encoding) in texts {
        let doc = format!("<?xml version=\"1.0\" encoding=\"{}\"?><title>{title}</title>", encoding.name());
        for header in DEFAULTS {
            assert_eq!(text(&encoding.encode(&doc).0, Some(header)), doc, "{}", encoding.name());
        }
    }
}

#[test]
fn latin_text_stays_latin_under_its_label() {
    let titles = [
        "Défense : l'accord est signé à Évreux",
        "Größere Lasten für Österreich, Ärger über Übungen",
        "¿Quién paga? La cumbre de la OTAN según España",
        "Negociações sobre a divisão de encargos começarão amanhã",
        "Försvarsbudgeten höjs på Åland",
        "ÄÖÜ",
        "ÉVÊQUE ÀÉÈÇ",
        "«¡Ñandú!»",
        "Þjóðir ræða útgjöld",
        "100 £½¾ °",
        "é",
    ];
    for title in titles {
        let doc = format!("<?xml version=\"1.0\"?><rss><title>{title}</title></rss>");
        for header in DEFAULTS {
            let bytes = WINDOWS_1252.encode(&doc).0.into_owned();
            let decoded = decode(&bytes, Some(header));
            assert_eq!((decoded.text.as_ref(), decoded.flaws.len()), (doc.as_str(), 0));
        }
    }
}

#[test]
fn one_title_in_utf8_leaves_the_rest_in_its_charset() {
    for (title, encoding) in
        [("한미 방위비 분담금 협상 재개", EUC_KR), ("在日米軍の駐留経費", SHIFT_JIS), ("美日磋商駐軍", BIG5)]
    {
        let item = |number: usize| format!("<item><title>{title} {number}</title></item>");
        for stranger in 0..3 {
            let prolog = format!("<?xml version=\"1.0\" encoding=\"{}\"?>", encoding.name());
            let mut bytes = prolog.clone().into_bytes();
            for number in 0..3 {
                let item = item(number);
                bytes.extend(if number == stranger {
                    item.into_bytes()
                } else {
                    encoding.encode(&item).0.into_owned()
                });
            }
            let decoded = decode(&bytes, None);
            assert_eq!(decoded.text, prolog + &(0..3).map(item).collect::<String>(), "{}", encoding.name());
            assert_eq!(decoded.flaws.first().map(|flaw| flaw.kind), Some("mixed-charset"));
        }
    }
}

#[test]
fn a_megabyte_that_ends_within_a_character_is_guessed_all_the_same() {
    for pad in 0..2 {
        let doc = format!("{}{}", "x".repeat(pad), KOREAN.repeat((1 << 20) / KOREAN.len() * 2));
        assert_eq!(text(&EUC_KR.encode(&doc).0, None), doc, "{pad}");
    }
}
