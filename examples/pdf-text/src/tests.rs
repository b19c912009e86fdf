use super::*;

/// A PDF of these objects, numbered from 1; the first one is the catalogue.
fn file(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n", at + 1).bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let table = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        pdf.extend(format!("{place:010} 00000 n \n").bytes());
    }
    pdf.extend(format!("trailer\n<</Size {}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).bytes());
    pdf
}

fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    [format!("<<{dictionary}/Length {}>>\nstream\n", content.len()).as_bytes(), content, b"\nendstream"].concat()
}

/// A file with a page for each content, all in Helvetica, which is not in the file.
fn pages(contents: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..contents.len()).map(|at| format!("{} 0 R", 5 + 2 * at)).collect();
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Type/Pages/Kids[{}]/Count {}>>", kids.join(" "), contents.len()).into_bytes(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
        b"<</Title(A small file)/Author<FEFF004D00FC>>>".to_vec(),
    ];
    for (at, content) in contents.iter().enumerate() {
        let page = format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents {} 0 R>>",
            6 + 2 * at
        );
        objects.extend([page.into_bytes(), stream("", content.as_bytes())]);
    }
    file(&objects, "/Info 4 0 R")
}

fn read(pdf: Vec<u8>) -> Result<Document, ReadError> {
    PdfText::read(pdf, None)
}

#[test]
fn words_lines_and_pages_are_read() {
    let first = "BT /F 24 Tf 50 780 Td (Skills) Tj /F 11 Tf 0 -60 Td (One line of ) Tj (text,) Tj 0 -14 Td [(with k) 80 (erning) -400 (and more)] TJ 0 -40 Td (A paragraph.) Tj ET";
    let second = "BT /F 11 Tf 50 780 Td (caf\\351 \\200 20) Tj ET";
    let document = read(pages(&[first, second])).unwrap();
    let texts: Vec<_> = document.pages.iter().map(|page| (page.number, page.text.as_str(), page.unknown)).collect();
    assert_eq!(texts, [(1, "Skills\n\nOne line of text,\nwith kerning and more\n\nA paragraph.", 0), (2, "café € 20", 0)]);
    assert_eq!((document.page_count, document.complete), (2, true));
    assert_eq!((document.title.as_deref(), document.author.as_deref()), (Some("A small file"), Some("Mü")));
}

#[test]
fn turned_text_is_read() {
    let document =
        read(pages(&["BT /F 12 Tf 0 1 -1 0 100 100 Tm (Up the) Tj ( side) Tj ET BT /F 12 Tf 1 0 0 1 200 100 Tm (and on) Tj ET"]))
            .unwrap();
    assert_eq!(document.pages[0].text, "Up the side\n\nand on");
}

#[test]
fn characters_are_those_of_the_files_own_table() {
    let table = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def 1 begincodespacerange <00> <FF> endcodespacerange \
                 2 beginbfchar <41> <65E5672C> <42> <0066> endbfchar endcmap end end";
    let objects = [
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[4 0 R]/Count 1>>".to_vec(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>".to_vec(),
        stream("", b"BT /F 9 Tf (AB) Tj ET"),
        stream("", table.as_bytes()),
    ];
    assert_eq!(read(file(&objects, "")).unwrap().pages[0].text, "日本f");
}

#[test]
fn a_range_of_pages_is_read() {
    let contents: Vec<String> = (1..=5).map(|page| format!("BT /F 11 Tf 9 9 Td (page {page}) Tj ET")).collect();
    let pdf = pages(&contents.iter().map(String::as_str).collect::<Vec<_>>());
    let range = |first, last| PdfText::read(pdf.clone(), Some(Options { first, last, password: None }));
    let document = range(Some(2), Some(3)).unwrap();
    assert_eq!(document.pages.iter().map(|page| page.text.as_str()).collect::<Vec<_>>(), ["page 2", "page 3"]);
    assert_eq!((document.page_count, document.complete), (5, false));
    for (first, last) in [(Some(0), None), (Some(6), None), (None, Some(6)), (Some(3), Some(2)), (Some(u32::MAX), Some(u32::MAX))]
    {
        assert!(matches!(range(first, last), Err(ReadError::NoSuchPage(5))), "{first:?} {last:?}");
    }
}

#[test]
fn what_is_no_pdf_is_told() {
    for bytes in [b"".as_slice(), b"%PDF", b"PK\x03\x04", b"<html>", &[0; 4000]] {
        assert!(matches!(read(bytes.to_vec()), Err(ReadError::NotAPdf)));
    }
    for bytes in [b"%PDF-1.7".as_slice(), b"%PDF-1.7\ntrailer<<>>", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj"] {
        assert!(matches!(read(bytes.to_vec()), Err(ReadError::Damaged)));
    }
}

/// Files that point at themselves, nest without end, or say that they are larger than they are.
fn hostile() -> Vec<Vec<u8>> {
    let page = |contents: Vec<u8>, resources: &str, more: Vec<Vec<u8>>| {
        let mut objects = vec![
            b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
            format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<<{resources}>>/Contents 4 0 R>>").into_bytes(),
            contents,
        ];
        objects.extend(more);
        file(&objects, "")
    };
    let font = "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>";
    vec![
        // The tree of pages is a ring.
        file(&[b"<</Type/Catalog/Pages 2 0 R>>".to_vec(), b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>".to_vec()], ""),
        file(
            &[
                b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
                b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>".to_vec(),
                b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]>>".to_vec(),
            ],
            "",
        ),
        // An object that is itself.
        page(b"4 0 R".to_vec(), font, vec![]),
        page(b"[4 0 R 4 0 R]".to_vec(), font, vec![]),
        // A form that draws itself, and two that draw each other.
        page(
            stream("", b"/X Do"),
            "/XObject<</X 5 0 R>>",
            vec![stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", b"/X Do /X Do")],
        ),
        page(
            stream("", b"/X Do"),
            "/XObject<</X 5 0 R>>",
            vec![
                stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>", b"/X Do /X Do"),
                stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", b"/X Do /X Do"),
            ],
        ),
        // Depth without end.
        page(stream("", &b"[".repeat(100_000)), font, vec![]),
        page(stream("", &b"<<".repeat(100_000)), font, vec![]),
        page(stream("", &b"q ".repeat(100_000)), font, vec![]),
        [b"%PDF-1.7\n1 0 obj\n".to_vec(), b"[".repeat(200_000), b"\nendobj\ntrailer<</Root 1 0 R>>".to_vec()].concat(),
        [b"%PDF-1.7\n1 0 obj\n".to_vec(), b"(".repeat(200_000), b"\nendobj\ntrailer<</Root 1 0 R>>".to_vec()].concat(),
        // Lengths and numbers that are not so.
        page(b"<</Length 99999999999>>\nstream\nBT ET\nendstream".to_vec(), font, vec![]),
        page(b"<</Length -1>>\nstream\nBT ET\nendstream".to_vec(), font, vec![]),
        page(stream("/Filter/FlateDecode", b"not deflated"), font, vec![]),
        page(
            stream("/Filter[/FlateDecode/FlateDecode/LZWDecode/ASCII85Decode/ASCIIHexDecode/RunLengthDecode]", &[0x55; 300]),
            font,
            vec![],
        ),
        page(
            stream(
                "/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647/Colors 99/BitsPerComponent 16>>",
                b"x\x9c\x03\0\0\0\0\x01",
            ),
            font,
            vec![],
        ),
        page(
            stream("", b"BT /F 1e38 Tf 1e38 1e38 1e38 1e38 1e38 1e38 Tm (x) Tj 99999999999999999999 0 Td (y) Tj ET"),
            font,
            vec![],
        ),
        page(stream("", b"BT /F 0 Tf 0 0 0 0 0 0 Tm (x) Tj -0 Tz (y) Tj ET ) > ] >> Q Q Q EI"), font, vec![]),
        page(stream("", b"BI /W 99999 /H 99999 /BPC 8 /CS /RGB ID x EI"), font, vec![]),
        // A table of characters that maps every code to very many.
        page(
            stream("", b"BT /F 9 Tf (AAAA) Tj ET"),
            "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5 0 R>>>>",
            vec![stream(
                "",
                &[b"1 beginbfrange <00> <FFFFFFFF> <".to_vec(), b"0041".repeat(50_000), b"> endbfrange".to_vec()].concat(),
            )],
        ),
        // Tables of objects that follow each other in a ring.
        b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Prev 9/Root 1 0 R>>\nstartxref\n9\n%%EOF".to_vec(),
        b"%PDF-1.7\nxref\n0 999999999\ntrailer<</Size 999999999>>\nstartxref\n9\n%%EOF".to_vec(),
        b"%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF".to_vec(),
    ]
}

#[test]
fn hostile_files_end_soon_and_never_in_a_fault() {
    for (at, pdf) in hostile().into_iter().enumerate() {
        let begin = std::time::Instant::now();
        let _ = read(pdf);
        assert!(begin.elapsed().as_secs() < 10, "{at}: {:?}", begin.elapsed());
    }
}

#[test]
fn damage_is_an_error_and_never_a_fault() {
    let whole =
        pages(&["BT /F 24 Tf 50 780 Td (Skills) Tj 0 -60 Td [(with k) 80 (erning)] TJ ET", "BT /F 11 Tf 50 780 Td (more) Tj ET"]);
    for length in (0..whole.len()).step_by(7) {
        let _ = read(whole[..length].to_vec());
    }
    let mut noise = 0x9e37_79b9_u32;
    for _ in 0..1500 {
        let mut file = whole.clone();
        for _ in 0..4 {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let at = noise as usize % file.len();
            file[at] = noise.to_le_bytes()[3];
        }
        let _ = read(file);
    }
}

#[test]
fn too_much_text_is_refused() {
    let content =
        format!("BT /F 1 Tf 1 1 Td {} ET", "(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) Tj ".repeat(2000));
    let contents = vec![content.as_str(); 30];
    assert!(matches!(read(pages(&contents)), Err(ReadError::TooLarge(_))));
}
