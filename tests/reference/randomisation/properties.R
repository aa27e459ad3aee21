# Design properties of two arms 1:1 by brute force: every one of the 2^n sequences with its probability, base R alone.
# Run: Rscript --vanilla properties.R > properties.json
n <- 12
codes <- 0:(2^n - 1)
arms <- sapply(1:n, function(j) bitwAnd(bitwShiftR(codes, n - j), 1L))  # 1 = A; column j is place j
of_a <- cbind(0, t(apply(arms, 1, cumsum)))
place <- matrix(0:n, nrow(of_a), n + 1, byrow = TRUE)
of_b <- place - of_a
ahead <- of_a - of_b

by_steps <- function(phi) {  # phi(D, nA, nB, j) = P(next is A)
  p <- rep(1, length(codes))
  for (j in 1:n) {
    chance <- phi(ahead[, j], of_a[, j], of_b[, j], j - 1)
    p <- p * ifelse(arms[, j] == 1, chance, 1 - chance)
  }
  p
}
evenly <- function(inside) inside / sum(inside)

simple <- function() by_steps(function(D, a, b, j) rep(0.5, length(D)))
biased_coin <- function(p) by_steps(function(D, a, b, j) ifelse(D == 0, 0.5, ifelse(D < 0, p, 1 - p)))
wei_urn <- function(alpha, beta) by_steps(function(D, a, b, j) {
  total <- 2 * alpha + beta * j
  if (total == 0) rep(0.5, length(D)) else (alpha + beta * b) / total
})
big_stick <- function(mti) by_steps(function(D, a, b, j) ifelse(abs(D) < mti, 0.5, as.numeric(D < 0)))
random_allocation_rule <- function() evenly(ahead[, n + 1] == 0)
maximal_procedure <- function(mti) evenly(ahead[, n + 1] == 0 & apply(abs(ahead), 1, max) <= mti)
blocks_from <- function(start, sizes) {  # P(places start+1..n | a block starts after start)
  if (start >= n) return(rep(1, length(codes)))
  total <- 0
  for (size in sizes) {
    end <- min(start + size, n)
    a <- of_a[, end + 1] - of_a[, start + 1]
    b <- (end - start) - a
    rest <- start + size - end  # places of the block beyond n
    half <- size / 2
    ways <- ifelse(a <= half & b <= half, choose(rest, half - a), 0)
    total <- total + ways / choose(size, half) * blocks_from(start + size, sizes) / length(sizes)
  }
  total
}
permuted_blocks <- function(...) blocks_from(0, c(...))

properties <- function(p) {
  guesses <- 0
  forced <- 0
  for (j in 1:n) {
    D <- ahead[, j]
    guesses <- guesses + sum(p * ifelse(D == 0, 0.5, as.numeric((arms[, j] == 1) == (D < 0))))
    prefix <- codes %/% 2^(n - j + 1)
    next_a <- tapply(p * arms[, j], prefix, sum)
    next_b <- tapply(p * (1 - arms[, j]), prefix, sum)
    forced <- forced + sum((next_a + next_b)[next_a == 0 | next_b == 0])
  }
  end <- ahead[, n + 1]
  c(
    total = sum(p), balanced = sum(p[end == 0]), variance = sum(p * end^2),
    at_least_four = sum(p[abs(end) >= 4]), guesses = guesses, forced = forced
  )
}

cases <- list(
  "simple {}" = simple(),
  "biased_coin {\"p\": \"2/3\"}" = biased_coin(2 / 3),
  "biased_coin {\"p\": \"0.85\"}" = biased_coin(0.85),
  "wei_urn {\"alpha\": 0, \"beta\": 1}" = wei_urn(0, 1),
  "wei_urn {\"alpha\": 1, \"beta\": 3}" = wei_urn(1, 3),
  "big_stick {\"mti\": 2}" = big_stick(2),
  "big_stick {\"mti\": 3}" = big_stick(3),
  "random_allocation_rule {}" = random_allocation_rule(),
  "maximal_procedure {\"mti\": 2}" = maximal_procedure(2),
  "maximal_procedure {\"mti\": 3}" = maximal_procedure(3),
  "permuted_blocks {\"block_size\": 4}" = permuted_blocks(4),
  "permuted_blocks {\"block_size\": 6}" = permuted_blocks(6),
  "permuted_blocks {\"block_sizes\": [4, 6]}" = permuted_blocks(4, 6),
  "permuted_blocks {\"block_sizes\": [2, 4, 6]}" = permuted_blocks(2, 4, 6)
)
lines <- sapply(names(cases), function(name) {
  found <- properties(cases[[name]])
  values <- paste(sprintf("\"%s\": %.17g", names(found), found), collapse = ", ")
  sprintf("    \"%s\": {%s}", gsub("\"", "\\\\\"", name), values)
})
cat("{\n  \"software\": \"R ", paste(R.version$major, R.version$minor, sep = "."), "\",\n", sep = "")
cat("  \"n\": ", n, ",\n  \"cases\": {\n", paste(lines, collapse = ",\n"), "\n  }\n}\n", sep = "")
