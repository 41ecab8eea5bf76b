//! A team's fourteen promotions in one repository: each chapter starts from what the last one left.

use std::fs;

use mlgate::document::sha256;

use crate::project::{Project, Ran};
use crate::promoting::run;
use crate::team::{begun, promote, run_in_place, verify};

/// A repository, and the current signing key.
struct Team {
    project: Project,
    key: &'static str,
}

#[test]
fn fourteen_promotions() {
    let mut team = Team { project: begun(), key: "old.key" };
    team.two_branches_promote_and_are_merged();
    team.a_squash_merge_loses_a_commit();
    team.a_revert_takes_a_promotion_back();
    team.the_key_is_changed();
    team.the_new_key_is_lost();
    team.models_come_from_lfs_and_dvc();
    team.a_bad_model_is_rolled_back();
    team.staging_is_retired();
    assert_eq!(team.numbers("staging"), 10, "eight promotions, a rollback, and the end of the stage");
    assert_eq!(team.numbers("production"), 6);
}

impl Team {
    fn promote(&self, name: &str, stage: &str) -> Ran {
        promote(&self.project, name, stage, &["--key", self.key])
    }

    fn verify(&self, name: &str, stage: &str) -> Ran {
        verify(&self.project, name, stage, &["--key", &format!("{}.pub", self.key)])
    }

    fn audit(&self) -> Ran {
        self.project.gate(&["audit", "--key", &format!("{}.pub", self.key)])
    }

    fn back(&self, command: &str, stage: &str, reason: &str, more: &[&str]) -> Ran {
        self.project.gate(&[&[command, "-s", stage, "--reason", reason, "--key", self.key], more].concat())
    }

    /// Entries of a stage.
    fn numbers(&self, stage: &str) -> usize {
        self.files(stage).iter().filter(|name| name.len() == "000001.json".len()).count()
    }

    fn files(&self, stage: &str) -> Vec<String> {
        let folder = self.project.path().join("ledger/churn").join(stage);
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Promotion 2 of staging twice, one of which git keeps, and the loser again as 3; then production.
    fn two_branches_promote_and_are_merged(&self) {
        let project = &self.project;
        for (branch, name, f1) in [("a", "two", "0.82"), ("b", "three", "0.83")] {
            project.git(&["checkout", "--quiet", "-b", branch, "main"]);
            run(project, name, f1);
            self.promote(name, "staging").leaves_with(0);
            project.commit(name);
        }
        assert!(!project.try_git(&["merge", "--quiet", "a"]), "git mixes nothing");
        project.git(&["checkout", "--ours", "--", "ledger"]);
        project.commit("merge a");
        project.git(&["checkout", "--quiet", "-B", "main"]);
        self.audit().leaves_with(1).says("two promotions with the number 2 were signed");
        self.promote("two", "staging").leaves_with(0).says("belongs to another promotion 2");
        let kept = sha256(project.read("ledger/churn/staging/000002.json").as_bytes());
        for name in self
            .files("staging")
            .iter()
            .filter(|name| name.starts_with("000002-") && !name.contains(&kept[..8]))
        {
            project.remove(&format!("ledger/churn/staging/{name}"));
        }
        self.promote("two", "production").leaves_with(0);
        project.commit("promote two");
        self.audit().leaves_with(0);
    }

    /// Promotion 4 of staging, of a run whose commit is no longer in any branch.
    fn a_squash_merge_loses_a_commit(&self) {
        let project = &self.project;
        project.git(&["checkout", "--quiet", "-b", "feature"]);
        run(project, "four", "0.84");
        project.commit("train four");
        let trained = project.git(&["rev-parse", "HEAD"]).trim().to_owned();
        project.edit("runs/four.json", "3f2a9c1", &trained).commit("record four");
        project.git(&["checkout", "--quiet", "main"]);
        project.git(&["merge", "--quiet", "--squash", "feature"]);
        project.commit("four");
        self.promote("four", "staging").leaves_with(0);
        project.commit("promote four");
        for command in [
            &["branch", "--quiet", "-D", "a", "b", "feature"][..],
            &["reflog", "expire", "--expire=now", "--all"],
        ] {
            project.git(command);
        }
        project.git(&["gc", "--quiet", "--prune=now"]);
        project
            .gate(&["explain", "models/four.bin"])
            .leaves_with(0)
            .says("no branch of this repository contains it");
        self.audit().leaves_with(0);
    }

    /// Reverting a promotion's commit undoes the promotion, and the next one takes its number.
    fn a_revert_takes_a_promotion_back(&self) {
        let project = &self.project;
        project.git(&["revert", "--no-edit", "HEAD"]);
        self.verify("four", "staging").leaves_with(1);
        self.verify("two", "staging").leaves_with(0);
        let expected = ["--key", "old.key.pub", "--at-least", "4"];
        verify(project, "two", "staging", &expected).leaves_with(1);
        self.promote("four", "staging").leaves_with(0).says("promotion 4");
        self.promote("four", "production").leaves_with(0);
        project.commit("promote four again");
    }

    /// Promotion 5 of staging, by the new key; it names the old one, and later entries need only the new key.
    fn the_key_is_changed(&mut self) {
        self.key = "new.key";
        run(&self.project, "five", "0.85");
        self.promote("five", "staging").leaves_with(1).says("--trusted-key OLD.pub --trusted-key NEW.pub");
        let both = ["--trusted-key", "old.key.pub", "--trusted-key", "new.key.pub", "--key", "new.key"];
        promote(&self.project, "five", "staging", &both).leaves_with(0);
        self.verify("five", "staging").leaves_with(0);
        self.verify("four", "production").leaves_with(1).says("no trusted key");
        promote(&self.project, "five", "production", &both).leaves_with(0);
        self.project.commit("promote five");
    }

    /// The new key and its public half are lost: accepting that needs an explicit flag, each time.
    fn the_new_key_is_lost(&mut self) {
        self.project.gate(&["key", "new", "third.key"]).leaves_with(0);
        self.key = "third.key";
        run(&self.project, "six", "0.86");
        self.promote("six", "staging").leaves_with(1).says("promotion/untrusted");
        let accepted = ["--key", "third.key", "--accept-untrusted"];
        promote(&self.project, "six", "staging", &accepted).leaves_with(0).says("weakened by untrusted");
        self.verify("six", "staging").leaves_with(0).says("weakened by untrusted");
        promote(&self.project, "six", "production", &accepted).leaves_with(0);
        self.project.commit("promote six");
        self.audit().leaves_with(0).says("audit/signature");
    }

    /// Promotions 7 and 8 of staging: models that git stores as pointers.
    fn models_come_from_lfs_and_dvc(&self) {
        let project = &self.project;
        run_in_place(project, "lfs", "0.87", |weights| {
            let (digest, bytes) = (sha256(weights.as_bytes()), weights.len());
            let text =
                format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {bytes}\n");
            project.file("models/m.bin", text);
        });
        let weights = project.read("models/m.bin");
        project.git(&["checkout", "--quiet", "--", "models/m.bin"]);
        self.promote("lfs", "staging").leaves_with(1).says("git lfs pull");
        project.file("models/m.bin", weights);
        self.promote("lfs", "staging").leaves_with(0);
        run_in_place(project, "dvc", "0.88", |weights| {
            let md5 = &sha256(weights.as_bytes())[..32];
            project.file("models/m.bin.dvc", format!("outs:\n- md5: {md5}\n  path: m.bin\n"));
            project.file("models/.gitignore", "/m.bin\n");
            project.git(&["rm", "--cached", "--quiet", "models/m.bin"]);
        });
        self.promote("dvc", "staging").leaves_with(0);
        self.verify("m", "staging").leaves_with(0);
        project.commit("promote dvc");
    }

    /// A rollback to the previous model: first its file, then the entry.
    fn a_bad_model_is_rolled_back(&self) {
        let project = &self.project;
        self.back("rollback", "staging", "ece is up", &[]).leaves_with(1).says("git lfs smudge >");
        project.file("models/m.bin", "the weights of lfs\n");
        self.back("rollback", "staging", "ece is up", &[]).leaves_with(0);
        self.verify("m", "staging").leaves_with(0);
        project.commit("roll back");
    }

    /// The stage is retired, and the audit passes; production goes on without it.
    fn staging_is_retired(&self) {
        let project = &self.project;
        self.back("retire", "staging", "production is tested in shadow", &[]).leaves_with(0);
        self.verify("m", "staging").leaves_with(1).says("it was taken out of service");
        project.edit("gate.yaml", "staging: {}, production: { after: staging }", "production: {}");
        self.audit().leaves_with(0).says("it was taken out of service");
        run(project, "last", "0.89");
        self.promote("last", "production").leaves_with(0);
        self.verify("last", "production").leaves_with(0);
        project.commit("promote last");
        self.audit().leaves_with(0);
    }
}
