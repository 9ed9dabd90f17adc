use super::HtmlText;
use mail_parser::decoders::html::html_to_text;

#[test]
fn html_reads_as_the_library_reads_it_in_steps_of_any_size() {
    let pieces = [
        "<",
        ">",
        "</",
        "/>",
        "<p>",
        "</p>",
        "<br/>",
        "<BR>",
        "<b>",
        "</b>",
        "<head>",
        "</head>",
        "<style>",
        "</style >",
        "<script>",
        "</script>",
        "<template>",
        "</template>",
        "<!--",
        "-->",
        "--",
        "-",
        "!",
        "<!",
        "&amp;",
        "&",
        ";",
        "&#228;",
        "&#x41;",
        "&nosuch;",
        " ",
        "\r\n",
        "\t",
        "word",
        "one two three ",
        "\u{e4}",
        "\u{308}",
        "a",
        "/",
        "=\"x\"",
        "\u{4e2d}",
    ];
    let seed = 0x5eed_cafe_u64;
    println!("seed {seed}");
    let mut random = seed;
    let mut below = |bound: usize| {
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    };
    for round in 0..30_000 {
        let html: String = (0..below(30))
            .map(|_| pieces[below(pieces.len())])
            .collect();
        let (mut reading, mut text) = (HtmlText::new(), Vec::new());
        let step = 1 + below(html.len() + 1);
        while !reading.read(html.as_bytes(), reading.at() + step, &mut text) {}
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            html_to_text(&html),
            "round {round}, {html:?}, step {step}"
        );
    }
}
