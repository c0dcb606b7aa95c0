//! Which withheld cells can be worked out from the shown ones.

use super::{Grid, Status};

/// Withheld cells on no cycle of withheld cells: the bridges of the graph whose nodes are rows and columns.
pub(super) fn exposed(status: &Grid<Status>) -> Vec<(usize, usize)> {
    let (height, width) = (status.rows() + 1, status.columns() + 1);
    let mut edges = Vec::new();
    let mut at_node: Vec<Vec<usize>> = vec![Vec::new(); height + width];
    for row in 0..height {
        for column in 0..width {
            if *status.at(row, column) != Status::Shown {
                at_node[row].push(edges.len());
                at_node[height + column].push(edges.len());
                edges.push((row, column));
            }
        }
    }
    let other_end = |edge: usize, node: usize| {
        let (row, column) = edges[edge];
        if node == row { height + column } else { row }
    };
    // Depth first, without recursion: a district may have thousands of cells.
    let unseen = usize::MAX;
    let mut entered = vec![unseen; at_node.len()];
    let mut lowest = vec![unseen; at_node.len()];
    let mut clock = 0;
    let mut found = Vec::new();
    for start in 0..at_node.len() {
        if entered[start] != unseen {
            continue;
        }
        entered[start] = clock;
        lowest[start] = clock;
        clock += 1;
        let mut path = vec![(start, None, 0)];
        while let Some((node, by, next)) = path.last_mut() {
            let (node, by) = (*node, *by);
            if let Some(&edge) = at_node[node].get(*next) {
                *next += 1;
                if Some(edge) == by {
                    continue;
                }
                let to = other_end(edge, node);
                if entered[to] == unseen {
                    entered[to] = clock;
                    lowest[to] = clock;
                    clock += 1;
                    path.push((to, Some(edge), 0));
                } else {
                    lowest[node] = lowest[node].min(entered[to]);
                }
            } else {
                path.pop();
                if let (Some((parent, _, _)), Some(edge)) = (path.last(), by) {
                    lowest[*parent] = lowest[*parent].min(lowest[node]);
                    if lowest[node] > entered[*parent] {
                        found.push(edges[edge]);
                    }
                }
            }
        }
    }
    found
}
