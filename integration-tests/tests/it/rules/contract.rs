//! The contract explains itself: every message, field, value and call has a comment, and names follow one habit.

use std::collections::HashSet;

use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::none;

/// The files of the contract, without those of Google's that they import.
pub fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let own: Vec<_> = set.file.into_iter().filter(|file| file.package().starts_with("wraparound.")).collect();
    assert!(own.len() > 5, "the descriptor set holds the contract");
    own
}

/// Every commented thing of one file by its path in the descriptor.
fn commented(file: &FileDescriptorProto) -> HashSet<Vec<i32>> {
    let source = file.source_code_info.as_ref().expect("the descriptor set keeps comments");
    source
        .location
        .iter()
        .filter(|at| !at.leading_comments().trim().is_empty() || !at.trailing_comments().trim().is_empty())
        .map(|at| at.path.clone())
        .collect()
}

struct Walk<'f> {
    file: &'f str,
    commented: HashSet<Vec<i32>>,
    found: Vec<String>,
}

impl Walk<'_> {
    fn needs(&mut self, path: &[i32], what: &str) {
        if !self.commented.contains(path) {
            self.found.push(format!("{}: {what}", self.file));
        }
    }

    fn message(&mut self, message: &DescriptorProto, path: &[i32], outer: &str) {
        let name = format!("{outer}{}", message.name());
        self.needs(path, &name);
        let below = |field: i32, index: usize| [path, &[field, i32::try_from(index).unwrap()]].concat();
        for (index, field) in message.field.iter().enumerate() {
            self.needs(&below(2, index), &format!("{name}.{}", field.name()));
        }
        for (index, nested) in message.nested_type.iter().enumerate() {
            self.message(nested, &below(3, index), &format!("{name}."));
        }
        for (index, nested) in message.enum_type.iter().enumerate() {
            self.enumeration(nested, &below(4, index), &format!("{name}."));
        }
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptorProto, path: &[i32], outer: &str) {
        let name = format!("{outer}{}", enumeration.name());
        self.needs(path, &name);
        for (index, value) in enumeration.value.iter().enumerate() {
            let at = [path, &[2, i32::try_from(index).unwrap()]].concat();
            self.needs(&at, &format!("{name}.{}", value.name()));
            if index == 0 && !value.name().ends_with("_UNSPECIFIED") {
                self.found.push(format!("{}: {name} begins with {}, not with …_UNSPECIFIED", self.file, value.name()));
            }
        }
    }
}

#[test]
fn everything_in_the_contract_is_commented() {
    let mut found = Vec::new();
    for file in files() {
        let mut walk = Walk { file: file.name(), commented: commented(&file), found: Vec::new() };
        let at = |field: i32, index: usize| vec![field, i32::try_from(index).unwrap()];
        for (index, message) in file.message_type.iter().enumerate() {
            walk.message(message, &at(4, index), "");
        }
        for (index, enumeration) in file.enum_type.iter().enumerate() {
            walk.enumeration(enumeration, &at(5, index), "");
        }
        for (index, service) in file.service.iter().enumerate() {
            walk.needs(&at(6, index), service.name());
            for (position, method) in service.method.iter().enumerate() {
                walk.needs(&[at(6, index), at(2, position)].concat(), &format!("{}.{}", service.name(), method.name()));
            }
        }
        found.extend(walk.found);
    }
    none(&found, "say the meaning, unit, format and readers of these:");
}

#[test]
fn every_call_has_messages_of_its_own() {
    let mut found = Vec::new();
    for file in files() {
        for method in file.service.iter().flat_map(|service| &service.method) {
            let package = file.package();
            let (request, response) = (format!(".{package}.{}Request", method.name()), format!(".{package}.{}Response", method.name()));
            if method.input_type() != request || method.output_type() != response {
                found.push(format!("{}: {} takes {} and answers {}", file.name(), method.name(), method.input_type(), method.output_type()));
            }
        }
    }
    none(&found, "a call can only grow when its messages are its own:");
}
