//! Rows that are written and read back, file names, and documentation of the schema.

use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field as Value;
use parquet::schema::parser::parse_message_type;

use super::batch::{Batch, Cell, MAX_ROWS};
use super::identity::encoded;
use super::schema::{Field, REQUESTS, Table, Type, VERSION};
use super::table_files::{TABLES, properties};

const WIDE: Table = Table {
    name: "wide",
    fields: &[
        field("words", Type::Words, false),
        field("text", Type::Text, true),
        field("word", Type::Word, true),
        field("small", Type::Small, true),
        field("flag", Type::Flag, true),
    ],
};

const fn field(name: &'static str, of: Type, is_optional: bool) -> Field {
    Field {
        name,
        of,
        is_optional,
        is_rising: false,
        meaning: "",
    }
}

/// Row of arbitrary values.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    words: Vec<u64>,
    text: Option<String>,
    word: Option<u64>,
    small: Option<i32>,
    flag: Option<bool>,
}

impl Row {
    fn random(random: &mut fastrand::Rng) -> Self {
        let words = (0..random.usize(..5)).map(|_| random.u64(..)).collect();
        let mut some = || random.bool();
        let present = [some(), some(), some(), some()];
        Self {
            words,
            text: present[0].then(|| "aä\0".repeat(random.usize(..4))),
            word: present[1].then(|| random.u64(..)),
            small: present[2].then(|| random.i32(..)),
            flag: present[3].then(|| random.bool()),
        }
    }

    fn cells(&self) -> [Cell<'_>; 5] {
        [
            Cell::Words(&self.words),
            Cell::text(self.text.as_deref()),
            self.word.map_or(Cell::Null, Cell::Word),
            self.small.map_or(Cell::Null, Cell::Small),
            self.flag.map_or(Cell::Null, Cell::Flag),
        ]
    }

    fn of(columns: Vec<(String, Value)>) -> Self {
        let mut row = Self {
            words: vec![],
            text: None,
            word: None,
            small: None,
            flag: None,
        };
        for (_, value) in columns {
            match value {
                Value::ListInternal(list) => {
                    let words = list.elements().iter().map(|word| match word {
                        Value::ULong(word) => *word,
                        other => panic!("{other:?}"),
                    });
                    row.words = words.collect();
                }
                Value::Str(text) => row.text = Some(text),
                Value::ULong(word) => row.word = Some(word),
                Value::Int(small) => row.small = Some(small),
                Value::Bool(flag) => row.flag = Some(flag),
                Value::Null => {}
                other => panic!("{other:?}"),
            }
        }
        row
    }
}

#[test]
fn rows_of_any_values_are_read_as_they_were_written() {
    static TABLE: Table = WIDE;
    let mut random = fastrand::Rng::with_seed(7);
    for count in [0, 1, 2, 100, 3000] {
        let rows: Vec<Row> = (0..count).map(|_| Row::random(&mut random)).collect();
        let schema = parse_message_type(&TABLE.message_type()).unwrap();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, schema.into(), Default::default()).unwrap();
        let mut batch = Batch::new(&TABLE);
        for (at, row) in rows.iter().enumerate() {
            batch.add(&row.cells()).unwrap();
            if at % 700 == 699 {
                batch.write(&mut writer).unwrap();
            }
        }
        batch.write(&mut writer).unwrap();
        writer.close().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let read = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| Row::of(row.unwrap().into_columns()));
        assert_eq!(read.collect::<Vec<_>>(), rows);
    }
}

#[test]
fn a_batch_is_full_by_rows_or_by_bytes() {
    static TABLE: Table = WIDE;
    let row = [
        Cell::Words(&[]),
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
    ];
    let mut batch = Batch::new(&TABLE);
    for _ in 0..MAX_ROWS {
        assert!(!batch.is_full());
        batch.add(&row).unwrap();
    }
    assert!(batch.is_full());
    let mut batch = Batch::new(&TABLE);
    let mut count = 0;
    while !batch.is_full() {
        let text = format!("{count}{}", "x".repeat(1 << 20));
        let row = [
            Cell::Words(&[]),
            Cell::Text(&text),
            Cell::Null,
            Cell::Null,
            Cell::Null,
        ];
        batch.add(&row).unwrap();
        count += 1;
    }
    assert_eq!(count, 64);
}

/// Increasing ticks take little space, also with missing values.
#[test]
fn increasing_ticks_take_less_than_two_bytes_a_row() {
    const ROWS: u64 = 10_000;
    let mut random = fastrand::Rng::with_seed(7);
    let schema = parse_message_type(&REQUESTS.message_type()).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema.into(), properties(&REQUESTS)).unwrap();
    let mut batch = Batch::new(&REQUESTS);
    let mut tick = 0;
    for number in 0..ROWS {
        tick += random.u64(..1000);
        let cell = |field: &Field| match (field.name, field.of) {
            ("taken", _) => Cell::Number(tick),
            ("answered", _) if number % 10 == 9 => Cell::Null,
            ("answered", _) => Cell::Number(tick + number % 7),
            (_, Type::Text) => Cell::Text("x"),
            (_, Type::Words) => Cell::Words(&[]),
            (_, Type::Number) => Cell::Number(number),
            _ => Cell::Null,
        };
        let row: Vec<_> = REQUESTS.fields.iter().map(cell).collect();
        batch.add(&row).unwrap();
    }
    batch.write(&mut writer).unwrap();
    writer.close().unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let group = reader.metadata().row_group(0);
    for name in ["taken", "answered"] {
        let column = group.columns().iter();
        let mut column = column.filter(|column| column.column_path().string() == name);
        let size = column.next().unwrap().compressed_size();
        assert!(size < 2 * ROWS as i64, "{name}: {size} bytes");
    }
}

#[test]
fn values_of_another_type_are_refused() {
    static TABLE: Table = WIDE;
    let mut batch = Batch::new(&TABLE);
    let error = batch.add(&[Cell::Null]).unwrap_err().to_string();
    assert!(error.contains("5 columns, 1 values"), "{error}");
    let row = [Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null];
    let error = batch.add(&row).unwrap_err().to_string();
    assert!(error.contains("column words"), "{error}");
}

#[test]
fn names_are_parts_of_paths_and_differ_where_the_runs_do() {
    let long = "é".repeat(1000);
    let names = [
        ("run-1.a_b", "run-1.a_b"),
        ("../x", "%2E.%2Fx"),
        ("_a", "%5Fa"),
        ("a b=c%", "a%20b%3Dc%25"),
    ];
    for (name, expected) in names {
        assert_eq!(encoded(name), expected);
    }
    assert!(encoded(&long).len() < 200);
    assert_ne!(encoded(&long), encoded(&format!("{long}x")));
}

/// Tables in the documentation: `| column | type | meaning |`, with a `?` after the type of an
/// optional column.
#[test]
fn the_documentation_has_each_column() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/farm.md")).unwrap();
    assert!(page.contains(&format!("version of the schema is {VERSION}")));
    for table in TABLES {
        let head = format!("### `{}`\n", table.name);
        let (_, section) = page.split_once(&head).unwrap();
        let rows = section
            .lines()
            .skip_while(|line| !line.starts_with("| ---"))
            .skip(1);
        let found: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        let expected = table.fields.iter().map(|field| {
            let null = if field.is_optional { "?" } else { "" };
            let (name, of, meaning) = (field.name, field.of.name(), field.meaning);
            format!("| `{name}` | {of}{null} | {meaning} |")
        });
        let expected: Vec<String> = expected.collect();
        assert_eq!(found, expected, "{}", expected.join("\n"));
    }
}
