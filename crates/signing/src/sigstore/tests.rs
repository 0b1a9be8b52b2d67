use release::Sha256;

#[test]
fn the_roots_are_those_that_the_map_names() {
    let map = include_str!("../../roots/sigstore/README.md");
    for (name, root) in [
        ("public-good.json", super::roots::PUBLIC_GOOD),
        ("github.json", super::roots::GITHUB),
    ] {
        let line = map.lines().find(|line| line.contains(&format!("`{name}`")));
        let fingerprint = Sha256::of(root.as_bytes()).to_string();
        assert!(
            line.is_some_and(|line| line.contains(&fingerprint)),
            "{name}"
        );
        super::roots::verifier(root).expect("a trusted root");
    }
}
