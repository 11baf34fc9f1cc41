use std::time::{Duration, Instant};

use super::*;

#[test]
fn plain_is_what_a_reader_sees() {
    let table = [
        ("host&nbsp;<b>nation</b> support", "host nation support"),
        ("<p>Seoul</p><p>Washington</p>", "Seoul\nWashington"),
        ("one<br/>two<BR>three", "one\ntwo\nthree"),
        ("  a \n\t b\u{3000}c\u{a0}d ", "a b c d"),
        ("AT&amp;T &lt;3 &#8220;ok&#x201d;", "AT&T <3 “ok”"),
        ("caf&eacute; caf&amp;eacute;", "café café"),
        ("R&D; &nosuch; a & b", "R&D; &nosuch; a & b"),
        ("x<script>var a = '<b>';</SCRIPT>y<style>p{}</style>z", "xyz"),
        ("x<!-- <b>no</b> -->y", "xy"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("un<wbr>broken", "unbroken"),
        ("<a href='http://x.test/burden-sharing' title=\"a > b\">talks</a>", "talks"),
        ("&#0;&#xD800;&#8;ok&#150;&#12;x", "ok– x"),
        ("<td>1</td><td>2</td>", "1\n2"),
        ("&lt;p&gt;escaped twice &lt;b&gt;over&lt;/b&gt;&lt;/p&gt;", "escaped twice over"),
        ("<![CDATA[raw <b>]]> rest", "raw <b> rest"),
        ("<o:p>office</o:p>", "office"),
        ("방위비&nbsp;<em>분담금</em>", "방위비 분담금"),
        ("The <Hill> reports; <b>more</b>", "The <Hill> reports; more"),
        ("The &lt;Hill&gt; reports", "The <Hill> reports"),
        ("if x <y and z> then", "if x <y and z> then"),
        ("<Yonhap News> <NK-News>", "<Yonhap News> <NK-News>"),
        ("a<bdt class='q'>b<g>c</g>d<path/>e</rest>f", "abcdef"),
        ("<amp-img>a", "a"),
        ("One<script>Two<p>Three<script>Four<style>Five", "OneTwo\nThreeFourFive"),
        ("One<script src='x'/>Two<script>no</script>Three", "OneTwoThree"),
        ("<![if !vml]>text<![endif]>", "text"),
        ("", ""),
    ];
    for (html, expected) in table {
        assert_eq!(plain(html), expected, "{html}");
    }
}

#[test]
fn titles_are_one_line_without_markup() {
    let table = [
        ("Troops &amp;amp; bases", "Troops & bases"),
        ("&lt;b&gt;Bold&lt;/b&gt; claim", "Bold claim"),
        ("<p>The &lt;blink&gt; tag</p>", "The <blink> tag"),
        ("<NK News> says 1 < 2", "<NK News> says 1 < 2"),
        ("<속보> 한미 합의", "<속보> 한미 합의"),
        ("two<br>lines", "two lines"),
        ("What <script> means", "What means"),
        ("O&#39;Neill&rsquo;s", "O'Neill’s"),
    ];
    for (raw, expected) in table {
        assert_eq!(title(raw), expected, "{raw}");
    }
}

#[test]
fn safe_text_cannot_reorder_or_control() {
    assert_eq!(safe("a\u{202e}b\u{2066}c\r\nBcc: x\u{1b}[2J"), "abc  Bcc: x[2J");
}

#[test]
fn caps_cut_at_a_character() {
    assert_eq!(clip("가나다", 7), ("가나".to_owned(), true));
    assert_eq!(clip("ab cd", 5), ("ab cd".to_owned(), false));
    assert_eq!(clip("ab cd ef", 5).0, "ab cd");
}

#[test]
fn a_megabyte_of_anything_is_quick() {
    let bombs = [
        "<div>",
        "<",
        "&",
        "<!--",
        "<a \"",
        "<a b=\"",
        "<a b='> \"",
        "<script>",
        "&lt;",
        "&amp;",
        "<![CDATA[",
        "<?",
        "</",
        "&lt;zz ",
        "<zz ",
        "<zz>",
        "</zz ",
        "<zz></zy>",
        "<script><style>",
        "<p a=\"",
    ];
    for bomb in bombs {
        let text = bomb.repeat(1_000_000 / bomb.len()) + ">";
        let start = Instant::now();
        plain(&text);
        title(&text);
        let spent = start.elapsed();
        // A tenth of it on an idle machine; what is not linear takes longer by far.
        assert!(spent < Duration::from_secs(5), "{bomb} took {spent:?}");
    }
}

#[test]
fn every_character_is_kept_but_white_space_and_controls() {
    for char in '\0'..=char::MAX {
        let expected = match char {
            '<' | '&' => continue,
            char if char.is_whitespace() => "a b".to_owned(),
            char if char.is_control() => "ab".to_owned(),
            char => format!("a{char}b"),
        };
        assert_eq!(plain(&format!("a{char}b")), expected, "{char:?}");
    }
    assert_eq!(plain("a  b \u{3000} ㄱ \u{2003}ㄴ \u{7}"), "a b ㄱ ㄴ");
}

proptest::proptest! {
    #[test]
    fn a_stretch_is_what_it_is_a_character_at_a_time(text in "([a-zA-Z~!@`0-9]|  ?|[\t\n\x7f\x1fé가ら\u{3000}\u{a0}]){0,40}") {
        let mut expected = 0;
        let mut space = true;
        for (at, char) in text.char_indices() {
            if char.is_control() || char.is_whitespace() && (char != ' ' || space) {
                break;
            }
            space = char == ' ';
            if !space {
                expected = at + char.len_utf8();
            }
        }
        proptest::prop_assert_eq!(stretch(&text), expected);
    }
}
