//! What goes wrong, and what changes, while the workers work.

use millstream_lease::Event;

use super::world::{Happening, World};

impl World {
    pub(super) fn trouble(&mut self) {
        let running = self.running();
        let open = self.stream.open_shards();
        match self.dice.between(0, 10) {
            0 | 1 => {
                if let Some(&node) = self.dice.pick(&running) {
                    self.say(format!("{} crashes", self.nodes[node].name));
                    self.nodes[node].is_alive = false;
                    if self.dice.chance(400) {
                        self.start(self.nodes[node].name.clone());
                    }
                }
            }
            2..4 => {
                if let Some(&node) = self.dice.pick(&running) {
                    let pause = self.dice.between(1_000, 30_000);
                    self.say(format!("{} stands still for {pause} ms", self.nodes[node].name));
                    self.nodes[node].paused_until = self.now + pause;
                    self.plan(pause, Happening::Tick(node));
                }
            }
            4 => {
                if let Some(&node) = self.dice.pick(&running) {
                    self.stop(node);
                }
            }
            5..7 if running.len() < 6 => self.join(),
            7 if open.len() < 16 => {
                if let Some(shard) = self.dice.pick(&open) {
                    self.stream.split(shard);
                }
            }
            8 => {
                let (left, right) = (self.dice.pick(&open).cloned(), self.dice.pick(&open).cloned());
                if let (Some(left), Some(right)) = (left, right)
                    && left != right
                {
                    self.stream.merge(&left, &right);
                }
            }
            9 => {
                let silence = self.now + self.dice.between(10_000, 150_000);
                if let Some(leader) = &mut self.leader {
                    leader.silent_until = silence;
                    self.say(format!("the leader stands still until {silence}"));
                }
            }
            _ => {}
        }
        let next = self.dice.between(500, 20_000);
        self.plan(next, Happening::Trouble);
    }

    pub(super) fn stop(&mut self, node: usize) {
        self.nodes[node].is_stopping = true;
        self.plan(0, Happening::Told(node, Event::Shutdown));
    }

    /// No more records, no more trouble; at least one worker.
    pub(crate) fn calm_down(&mut self) {
        self.settings.is_faulty = false;
        if let Some(leader) = &mut self.leader {
            leader.silent_until = 0;
        }
        self.agenda.retain(|_, happening| !matches!(happening, Happening::Put | Happening::Trouble));
        if self.running().is_empty() {
            self.join();
        }
    }

    pub(crate) fn shut_down_all(&mut self) {
        for node in self.running() {
            self.stop(node);
        }
    }
}
